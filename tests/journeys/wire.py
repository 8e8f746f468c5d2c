"""HTTP/1.1 over a plain socket: fast enough for load tests, and able to send malformed requests."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from tests.servers.process import PATIENCE_SECONDS

ANSWER_SECONDS = PATIENCE_SECONDS
READ_BYTES = 1 << 20
OPENED: set[Wire] = set()
"""Every open connection of the running test."""


class Answer(NamedTuple):
    """A response. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def code(self) -> str:
        """The stable code of a problem response."""
        return str(self.json["code"])

    @property
    def remaining(self) -> int:
        """How many requests or messages are left, by the header `RateLimit`."""
        return int(self.headers["ratelimit"].rpartition("r=")[2].split(";")[0])


class Wire:
    """One connection, for one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        OPENED.add(self)

    @classmethod
    async def open(cls, port: int, tls: ssl.SSLContext | None = None, name: str = "localhost") -> Wire:
        """Open a connection; with TLS, ask for the certificate of `name`. Raises OSError."""
        asked = name if tls else None
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=READ_BYTES, ssl=tls, server_hostname=asked))

    @property
    def usable(self) -> bool:
        return not (self.reader.at_eof() or self.writer.is_closing())

    def close(self) -> None:
        OPENED.discard(self)
        self.writer.close()

    async def abort(self) -> None:
        """Close at once, without sending what is still buffered."""
        OPENED.discard(self)
        self.writer.transport.abort()
        try:
            await self.writer.wait_closed()
        except OSError:
            return

    async def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request. Raises ConnectionError if the response is incomplete."""
        self.writer.write(head(method, path, {"content-length": str(len(body)), **(headers or {})}) + body)
        return await self.answer()

    async def raw(self, data: bytes) -> Answer:
        """Send raw bytes and return the response."""
        self.writer.write(data)
        return await self.answer()

    async def answer(self) -> Answer:
        """Read a response. Raises ConnectionError if it is incomplete."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                status, headers = await self.answer_head()
                return Answer(status, headers, await self._body(status, headers))
        except (asyncio.IncompleteReadError, OSError) as error:
            self.close()
            raise ConnectionError(str(error)) from error

    async def answer_head(self) -> tuple[int, dict[str, str]]:
        """Read status and headers. The body stays in the reader."""
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:-2]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return int(lines[0].split(" ")[1]), headers

    async def _body(self, status: int, headers: dict[str, str]) -> bytes:
        if "content-length" in headers:
            return await self.reader.readexactly(int(headers["content-length"]))
        if headers.get("transfer-encoding") != "chunked" or status == 204:
            return b""
        parts = []
        while part := await self.chunk():
            parts.append(part)
        return b"".join(parts)

    async def chunk(self) -> bytes:
        """Return the next chunk of a chunked body; b"" at its end."""
        size = int(await self.reader.readuntil(b"\r\n"), 16)
        return (await self.reader.readexactly(size + 2))[:-2]


def comparable(answer: Answer) -> dict[str, Any]:
    """Return the JSON body without its request id, the only field that differs between equal refusals."""
    return {**answer.json, "request_id": None}


def head(method: str, path: str, headers: Mapping[str, str]) -> bytes:
    """Return the head of a request, encoded in UTF-8."""
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()
