"""A TCP proxy between the server and PostgreSQL."""

from __future__ import annotations

import asyncio


class DelayingProxy:
    """Forwards everything, but closes the client's connection only some time after PostgreSQL closed its own."""

    def __init__(self, port: int, seconds: float) -> None:
        self._port, self._seconds = port, seconds
        self._passing: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._passing.add(asyncio.ensure_future(self._forward(reader, writer)))

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, to_upstream = await asyncio.open_connection("127.0.0.1", self._port)
        forward = asyncio.ensure_future(_copy(reader, to_upstream))
        try:
            await _copy(upstream, writer)
            await asyncio.sleep(self._seconds)
        finally:
            forward.cancel()
            writer.close()
            to_upstream.close()

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for passing in self._passing:
            passing.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while part := await reader.read(1 << 16):
            writer.write(part)
            await writer.drain()
    except OSError:
        return
