"""`/metrics` and `/health` of a stand-alone gateway, on a private address of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus

import msgspec

from fechatter.errors import StartError
from fechatter.telemetry import gateway_readings
from fechatter.telemetry.exposition import MEDIA_TYPE, render
from fechatter.telemetry.watch import GatewayCounters

HEAD_BYTES = 8192
SECONDS = 5.0
AT_ONCE = 16
JSON = "application/json"

Answer = tuple[HTTPStatus, str, bytes]


class Inspection:
    """Answers one request per connection.

    Args:
        counters: returns the current counters of the gateway.
    """

    def __init__(self, counters: Callable[[], GatewayCounters]) -> None:
        self._counters = counters
        self._open = 0

    async def start(self, host: str, port: int) -> asyncio.Server:
        """Listen on an address. Raises StartError."""
        try:
            return await asyncio.start_server(self._serve, host, port, limit=HEAD_BYTES)
        except OSError as error:
            raise StartError(f"Port {port} on {host} cannot be used for the metrics ({error.strerror}).") from error

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open <= AT_ONCE:
                async with asyncio.timeout(SECONDS):
                    head = await reader.readuntil(b"\r\n\r\n")
                    writer.write(_bytes(self._answer(head)))
                    await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            self._open -= 1
            writer.close()

    def _answer(self, head: bytes) -> Answer:
        method, _, rest = head.partition(b" ")
        path = rest.split(b" ", 1)[0].split(b"?", 1)[0]
        if method != b"GET":
            return HTTPStatus.METHOD_NOT_ALLOWED, JSON, b"{}"
        match path:
            case b"/metrics":
                return HTTPStatus.OK, MEDIA_TYPE, render(gateway_readings.readings(self._counters())).encode()
            case b"/health" | b"/health/simple":
                return self._health()
            case _:
                return HTTPStatus.NOT_FOUND, JSON, b"{}"

    def _health(self) -> Answer:
        upstreams = self._counters().upstreams
        working = [each for each in upstreams if each.works]
        status = "ok" if len(working) == len(upstreams) else "degraded" if working else "down"
        body = {"status": status, "upstreams": upstreams}
        code = HTTPStatus.OK if working else HTTPStatus.SERVICE_UNAVAILABLE
        return code, JSON, msgspec.json.encode(body)


def _bytes(answer: Answer) -> bytes:
    status, kind, body = answer
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n"
        "cache-control: no-store\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
