"""A raw HTTP/1.1 connection for load: cheap enough that the generator is not what is measured."""

from __future__ import annotations

import asyncio
from typing import cast


class Connection(asyncio.Protocol):
    """One request at a time; answers must carry Content-Length or be chunked in one piece."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[tuple[int, bytes]] | None = None
        self._received = b""

    @classmethod
    async def open(cls, host: str, port: int) -> Connection:
        _, connection = await asyncio.get_running_loop().create_connection(cls, host, port)
        return connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error or ConnectionResetError("closed by the server"))

    def request(self, data: bytes) -> asyncio.Future[tuple[int, bytes]]:
        """Send one request; the result is its status and body."""
        assert self._transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self._received = b""
        self._transport.write(data)
        return self._waiting

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, rest = self._received.partition(b"\r\n\r\n")
        if not end or self._waiting is None:
            return
        body = _body(head.lower(), rest)
        if body is not None:
            self._waiting.set_result((int(head[9:12]), body))
            self._waiting = None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _body(head: bytes, rest: bytes) -> bytes | None:
    """The whole body, or None while it is still coming."""
    place = head.find(b"content-length:")
    if place >= 0:
        length = int(head[place + 15 : head.find(b"\r", place + 15) if b"\r" in head[place + 15 :] else len(head)])
        return rest if len(rest) >= length else None
    if b"transfer-encoding: chunked" in head:
        return _chunks(rest)
    return rest


def _chunks(rest: bytes) -> bytes | None:
    if not rest.endswith(b"0\r\n\r\n"):
        return None
    body, place = b"", 0
    while True:
        end = rest.index(b"\r\n", place)
        size = int(rest[place:end], 16)
        if size == 0:
            return body
        body += rest[end + 2 : end + 2 + size]
        place = end + 4 + size


def post(path: str, token: str | None, body: bytes) -> bytes:
    """The bytes of a POST with a JSON body."""
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{authorization}Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def get(path: str, token: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
