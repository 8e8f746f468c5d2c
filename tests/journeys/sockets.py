"""A small WebSocket client (RFC 6455) that can also send frames that no library would send."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import ssl
from collections.abc import Mapping
from typing import Any

import orjson

from tests.journeys.wire import ANSWER_SECONDS, Answer, Wire, head

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
FINAL = 0x80
SUBPROTOCOL = "fechatter.v1"
_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class NotUpgraded(Exception):
    """The server answered the handshake with an ordinary response."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


class Closed(ConnectionError):
    """The connection has ended; `code` is None if there was no last frame."""

    def __init__(self, code: int | None) -> None:
        super().__init__(f"closed: {code}")
        self.code = code


def handshake(**more: str) -> dict[str, str]:
    """Return the headers of a handshake. `more` replaces or adds headers; `_` stands for `-`."""
    headers = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": base64.b64encode(os.urandom(16)).decode(),
        "sec-websocket-protocol": SUBPROTOCOL,
    }
    return {**headers, **{name.replace("_", "-"): value for name, value in more.items()}}


def accept_key(key: str) -> bytes:
    """Return the answer to the key of a handshake."""
    return base64.b64encode(hashlib.sha1(key.encode() + _SUFFIX).digest())


def frame(first: int, content: bytes = b"", *, masked: bool = True) -> bytes:
    """Return a frame; `first` is its first byte."""
    size = len(content)
    if size < 126:
        length = bytes([size])
    elif size < 1 << 16:
        length = b"\x7e" + size.to_bytes(2)
    else:
        length = b"\x7f" + size.to_bytes(8)
    if not masked:
        return bytes([first]) + length + content
    mask = os.urandom(4)
    hidden = bytes(byte ^ mask[index % 4] for index, byte in enumerate(content))
    return bytes([first, length[0] | 0x80]) + length[1:] + mask + hidden


class Socket:
    """An open WebSocket.

    Attributes:
        headers: of the answer to the handshake.
        code: the close code, once the server has sent one.
    """

    def __init__(self, wire: Wire, headers: dict[str, str]) -> None:
        self.wire = wire
        self.headers = headers
        self.code: int | None = None

    @classmethod
    async def open(
        cls,
        port: int,
        path: str = "/ws",
        headers: Mapping[str, str] | None = None,
        *,
        wire: Wire | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> Socket:
        """Open a socket. Raises NotUpgraded, OSError."""
        wire = wire or await Wire.open(port, tls)
        asked = {**handshake(), **(headers or {})}
        wire.writer.write(head("GET", path, asked))
        async with asyncio.timeout(ANSWER_SECONDS):
            status, answered = await wire.answer_head()
            if status != 101:
                body = await wire.reader.readexactly(int(answered["content-length"]))
                wire.close()
                raise NotUpgraded(Answer(status, answered, body))
        assert answered["sec-websocket-accept"] == accept_key(asked["sec-websocket-key"]).decode()
        return cls(wire, answered)

    def send(self, message: object) -> None:
        """Send a text message with this JSON."""
        self.raw(frame(FINAL | TEXT, orjson.dumps(message)))

    def raw(self, data: bytes) -> None:
        self.wire.writer.write(data)

    async def frame(self) -> tuple[int, bytes]:
        """Return the next frame: opcode and content. Raises Closed."""
        reader = self.wire.reader
        try:
            first, size = await reader.readexactly(2)
            assert first & (FINAL | 0x70) == FINAL, "the server neither fragments nor uses reserved bits"
            assert size < 128, "the server does not mask"
            if size > 125:
                size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8))
            return first & 15, await reader.readexactly(size)
        except (asyncio.IncompleteReadError, OSError) as error:
            raise Closed(self.code) from error

    async def message(self) -> Any:
        """Return the JSON of the next text message; answer pings. Raises Closed."""
        while True:
            opcode, content = await self.frame()
            if opcode == TEXT:
                return orjson.loads(content)
            if opcode == PING:
                self.raw(frame(FINAL | PONG, content))
            elif opcode == CLOSE:
                self.code = int.from_bytes(content[:2]) if content else None

    async def closed(self) -> int | None:
        """Read until the server has closed the connection; return its code."""
        async with asyncio.timeout(ANSWER_SECONDS):
            try:
                while True:
                    await self.message()
            except Closed as error:
                return error.code

    async def until(self, event: str) -> dict[str, Any]:
        """Return the next message of this event."""
        async with asyncio.timeout(ANSWER_SECONDS):
            while True:
                message: dict[str, Any] = await self.message()
                if message.get("event") == event:
                    return message
