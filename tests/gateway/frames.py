"""HTTP/2 frames by hand, valid and invalid ones. The requests use no compression of headers."""

from __future__ import annotations

import asyncio
import ssl
import struct
from typing import NamedTuple

from tests.journeys.wire import Wire
from tests.servers.process import PATIENCE_SECONDS

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 2, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
INITIAL_WINDOW_SIZE = 4
STATUSES = {0x88: 200, 0x89: 204, 0x8B: 304, 0x8C: 400, 0x8D: 404, 0x8E: 500}
"""Entries of the static table of HPACK."""


class Frame(NamedTuple):
    kind: int
    flags: int
    stream: int
    payload: bytes


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def _text(text: bytes) -> bytes:
    if len(text) < 127:
        return bytes([len(text)]) + text
    rest, encoded = len(text) - 127, b"\x7f"
    while rest >= 128:
        encoded += bytes([rest % 128 + 128])
        rest //= 128
    return encoded + bytes([rest]) + text


def request(stream: int, path: str = "/", method: str = "GET", end: bool = True, **more: str) -> bytes:
    """Return a request's HEADERS frame."""
    named = {":method": method, ":scheme": "http", ":path": path, ":authority": "a"}
    block = b"".join(b"\0" + _text(name.encode()) + _text(value.encode()) for name, value in (named | more).items())
    return frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, block)


def update(stream: int, size: int) -> bytes:
    """Return a frame that lets the server send more of an answer."""
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", size))


class Http2:
    """One connection."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    @classmethod
    async def open(cls, port: int, tls: ssl.SSLContext | None = None, window: int | None = None) -> Http2:
        """Open a connection. `window`: how much of each answer the client accepts at first."""
        connection = cls(await Wire.open(port, tls))
        settings = b"" if window is None else struct.pack(">HI", INITIAL_WINDOW_SIZE, window)
        connection.send(PREFACE, frame(SETTINGS, 0, 0, settings))
        return connection

    def send(self, *frames: bytes) -> None:
        self.wire.writer.write(b"".join(frames))

    async def next(self) -> Frame | None:
        """Return the next frame; None at the end."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                header = await self.wire.reader.readexactly(9)
                payload = await self.wire.reader.readexactly(int.from_bytes(header[:3], "big"))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        return Frame(header[3], header[4], int.from_bytes(header[5:], "big"), payload)

    async def until(self, kind: int) -> Frame:
        while (found := await self.next()) is not None:
            if found.kind == kind:
                return found
        raise ConnectionError(f"the connection ended before a frame of kind {kind}")

    async def status(self) -> int:
        """Return the status of the next answer."""
        block = (await self.until(HEADERS)).payload
        # A change of the table's size may come first.
        return STATUSES.get(next(byte for byte in block if byte & 0xE0 != 0x20), 0)
