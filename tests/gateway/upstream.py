"""A small server behind a gateway under test. It records the requests that reach it, byte for byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec

from tests.servers.process import PATIENCE_SECONDS

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Received(msgspec.Struct):
    """A request as it arrived. Header names are in lower case."""

    method: str
    target: str
    version: str
    headers: list[tuple[str, str]]
    body: bytes = b""

    def values(self, name: str) -> list[str]:
        return [value for known, value in self.headers if known == name]


Handler = Callable[[Received, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Upstream:
    """
    Attributes:
        received: the requests so far.
        answer: handles each request after its body was read.
        reads_bodies: False if `answer` reads the body itself.
        left: set when a connection ends while its answer is not complete.
    """

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answer: Handler = _ok
        self.reads_bodies = True
        self.connections = 0
        self.port = 0
        self.left = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while not writer.is_closing():
                request = await _read_head(reader)
                if self.reads_bodies:
                    request.body = await _read_body(request, reader)
                self.received.append(request)
                await self.answer(request, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.left.set()
        finally:
            writer.close()


async def _ok(_request: Received, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK)
    await writer.drain()


async def _read_head(reader: asyncio.StreamReader) -> Received:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, version = lines[0].split(" ")
    headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:-2])]
    return Received(method, target, version, headers)


async def _read_body(request: Received, reader: asyncio.StreamReader) -> bytes:
    lengths, encodings = request.values("content-length"), request.values("transfer-encoding")
    assert len(lengths) + len(encodings) <= 1, "the framing of a forwarded request is ambiguous"
    if lengths:
        return await reader.readexactly(int(lengths[0]))
    body = b""
    while encodings:
        size = int(await reader.readuntil(b"\r\n"), 16)
        body += (await reader.readexactly(size + 2))[:-2]
        if size == 0:
            break
    return body


@asynccontextmanager
async def running_upstream() -> AsyncIterator[Upstream]:
    """Run an upstream on a free port."""
    upstream = Upstream()
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0)
    try:
        upstream.port = server.sockets[0].getsockname()[1]
        yield upstream
    finally:
        server.close()


async def wait_for(event: asyncio.Event) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        await event.wait()
