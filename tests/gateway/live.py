"""An app that hands its streams over to a gateway."""

from __future__ import annotations

import asyncio

from fechatter.native import Stream, Streams
from tests.gateway.upstream import Received, Upstream
from tests.journeys.wire import Wire, head
from tests.servers.process import PATIENCE_SECONDS

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
CLOSING = b"event: closing\n\n"


class App:
    """An app that answers each request with a new stream."""

    def __init__(self, upstream: Upstream) -> None:
        self.streams = Streams(20_000, 32 << 20)
        self.opened: list[Stream] = []
        self.answered = b"%d"
        self._seen: list[tuple[int, str]] = []
        upstream.answer = self.answer

    async def answer(self, _request: Received, _reader: Reader, writer: Writer) -> None:
        stream = self.streams.open()
        stream.hand_over()
        self.opened.append(stream)
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 0\r\n"
            b"x-fechatter-stream: " + self.answered.replace(b"%d", b"%d" % stream.id) + b"\r\n\r\n"
        )
        await writer.drain()

    async def notice(self) -> tuple[int, str]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self._seen:
                self._seen += self.streams.notices()
                await asyncio.sleep(0.001)
        return self._seen.pop(0)


async def listen(port: int, app: App, more: bytes = b"") -> tuple[Wire, Stream]:
    wire = await Wire.open(port)
    wire.writer.write(head("GET", "/events", {}) + more)
    status, headers = await wire.answer_head()
    assert (status, headers["content-type"], headers["connection"]) == (200, "text/event-stream", "close")
    assert not {"x-fechatter-stream", "content-length"} & set(headers)
    return wire, app.opened[-1]
