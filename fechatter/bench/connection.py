"""A raw HTTP/1.1 connection for load. It uses only callbacks, to keep the cost of the generator low."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import orjson

from fechatter.bench.target import LoadTarget

Answered = Callable[[int, bytes], None]
ANSWER_SECONDS = 15.0


class Refused(Exception):
    """The server refused a request that the load depends on."""


class Connection(asyncio.Protocol):
    """Sends one request at a time. Responses have a Content-Length or are chunked. A closed connection can be reopened.

    Attributes:
        lost: called once with the reason when the server ends the connection.
        closed: whether it must be opened before the next request.
    """

    def __init__(self, lost: Callable[[Exception], None] | None = None) -> None:
        self.lost = lost
        self.closed = True
        self._answered: Answered | None = None
        self._received = b""

    @property
    def answering(self) -> bool:
        """Whether a part of a response has arrived."""
        return bool(self._received)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.closed = False

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        if self.lost is not None:
            self.lost(error or ConnectionResetError("the server closed a connection"))

    def call(self, request: bytes, answered: Answered) -> None:
        """Send a request; `answered` receives the status and the body of its response."""
        self._answered = answered
        self._transport.write(request)

    async def request(self, request: bytes) -> tuple[int, bytes]:
        """Send a request and wait for its response. Raises OSError, TimeoutError."""
        future: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()

        def lost(error: Exception) -> None:
            if not future.done():
                future.set_exception(error)

        self.lost = lost
        self.call(request, lambda status, body: future.set_result((status, body)))
        async with asyncio.timeout(ANSWER_SECONDS):
            return await future

    async def ask(self, method: str, path: str, token: str | None = None, body: Any = None) -> Any:
        """Send a request, and return the parsed JSON of its response or None for an empty body.

        Raises:
            Refused: the status is not 200, 201 or 204.
            OSError, TimeoutError: the server does not answer.
        """
        status, answer = await self.request(
            write_request(method, path, token, None if body is None else orjson.dumps(body))
        )
        if status not in (200, 201, 204):
            raise Refused(f"{method} {path} returned {status}: {answer[:300].decode(errors='replace')}")
        return orjson.loads(answer) if answer else None

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, rest = self._received.partition(b"\r\n\r\n")
        if not end or self._answered is None:
            return
        body = _body(head.lower(), rest)
        if body is not None:
            answered, self._answered, self._received = self._answered, None, b""
            answered(int(head[9:12]), body)

    def close(self) -> None:
        self.lost = None
        self._transport.close()


async def open_connection(target: LoadTarget) -> Connection:
    """Connect to the server. Raises OSError, TimeoutError."""
    return await target.connect(Connection)


def write_request(method: str, path: str, token: str | None = None, body: bytes | None = None) -> bytes:
    """Return the bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


def _body(head: bytes, rest: bytes) -> bytes | None:
    """Return the complete body, or None while it is still arriving."""
    place = head.find(b"content-length:")
    if place >= 0:
        length = int(head[place + 15 :].split(b"\r", 1)[0])
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
