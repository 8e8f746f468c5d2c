"""The gateway's limits: each one answers or closes, and good clients are served meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest

from tests.gateway.conftest import RunningGateway, StartGateway
from tests.gateway.upstream import OK, Received, Upstream
from tests.journeys.senders import wait_until_true
from tests.journeys.wire import Wire, head
from tests.servers.process import PATIENCE_SECONDS

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
KIBIBYTE = 1024
SHORT = 0.3


async def until_closed(wire: Wire, drip: bytes = b"") -> bytes:
    """Return everything until the gateway closes; send `drip` again and again meanwhile."""
    answered = b""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            with contextlib.suppress(TimeoutError):
                part = await asyncio.wait_for(wire.reader.read(1 << 16), SHORT / 5)
                if not part:
                    return answered
                answered += part
            with contextlib.suppress(ConnectionError):
                wire.writer.write(drip)


@pytest.mark.parametrize("beginning", [b"G", b"GET / HTTP/1.1\r\nx: ", b"PRI * HT"])
async def test_a_slow_head_is_refused_in_time(
    start_gateway: StartGateway, upstream: Upstream, beginning: bytes
) -> None:
    gateway = start_gateway(head_seconds=SHORT)
    slow = await Wire.open(gateway.port)
    slow.writer.write(beginning)
    answered = await until_closed(slow, b"a")
    assert answered.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"head_timeout"' in answered
    assert upstream.received == []


async def test_a_slow_second_head_is_refused_in_time_too(start_gateway: StartGateway) -> None:
    gateway = start_gateway(head_seconds=SHORT, idle_seconds=PATIENCE_SECONDS)
    slow = await Wire.open(gateway.port)
    assert (await slow.request("GET", "/")).status == 200
    slow.writer.write(b"GET / HT")
    assert b'"code":"head_timeout"' in await until_closed(slow)


async def test_silent_and_idle_connections_are_closed_without_an_answer(start_gateway: StartGateway) -> None:
    gateway = start_gateway(head_seconds=SHORT, idle_seconds=SHORT)
    silent, idle = await Wire.open(gateway.port), await Wire.open(gateway.port)
    assert (await idle.request("GET", "/")).status == 200
    assert [await until_closed(wire) for wire in (silent, idle)] == [b"", b""]
    assert gateway.counters.refused == {}


@pytest.mark.parametrize("drip", [b"", b"a"])
async def test_a_slow_body_is_refused_in_time(start_gateway: StartGateway, drip: bytes) -> None:
    # The gateway adds five seconds, in which a server that reads the body answers itself.
    gateway = start_gateway(body_part_seconds=0, body_seconds=0)
    slow, began = await Wire.open(gateway.port), time.monotonic()
    slow.writer.write(head("POST", "/", {"content-length": "100000"}))
    answered = await until_closed(slow, drip)
    assert answered.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"body_timeout"' in answered
    assert time.monotonic() - began > 4


@pytest.mark.parametrize(
    ("request_head", "status", "code"),
    [
        (b"GET /" + b"a" * 600 + b" HTTP/1.1\r\nhost: a\r\n\r\n", 414, "uri_too_long"),
        (b"GET /" + b"a" * 5000, 414, "uri_too_long"),
        (b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"a" * 5000, 431, "head_too_large"),
        (b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"a" * 5000 + b"\r\n\r\n", 431, "head_too_large"),
        (b"GET / HTTP/1.1\r\nhost: a\r\n" + b"x: y\r\n" * 20 + b"\r\n", 431, "head_too_large"),
        (b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5001\r\n\r\n", 413, "body_too_large"),
    ],
)
async def test_a_request_that_is_too_large_is_refused(
    start_gateway: StartGateway, upstream: Upstream, request_head: bytes, status: int, code: str
) -> None:
    gateway = start_gateway(uri_bytes=500, head_bytes=4096, headers=20, body_bytes=5000)
    wire = await Wire.open(gateway.port)
    answer = await wire.raw(request_head)
    assert (answer.status, answer.code, answer.headers["connection"]) == (status, code, "close")
    assert await until_closed(wire) == b""
    assert upstream.received == []


async def test_chunks_beyond_the_limit_are_refused(start_gateway: StartGateway, upstream: Upstream) -> None:
    gateway = start_gateway(body_bytes=5000)
    wire = await Wire.open(gateway.port)
    sent = b"1000\r\n" + b"a" * 4096 + b"\r\n"
    answer = await wire.raw(head("POST", "/", {"transfer-encoding": "chunked"}) + sent * 2 + b"0\r\n\r\n")
    assert (answer.status, answer.json["limit_bytes"]) == (413, 5000)
    assert upstream.received == []


async def test_the_last_request_of_a_connection_closes_it(start_gateway: StartGateway) -> None:
    gateway = start_gateway(requests_per_connection=3)
    wire = await Wire.open(gateway.port)
    answers = [await wire.request("GET", "/") for _ in range(3)]
    assert [answer.headers.get("connection") for answer in answers] == [None, None, "close"]
    assert await until_closed(wire) == b""


class Waiting:
    """An upstream that answers only when the test allows it."""

    def __init__(self, upstream: Upstream) -> None:
        self.allowed = asyncio.Event()
        upstream.answer = self.answer

    async def answer(self, _: Received, reader: Reader, writer: Writer) -> None:
        await self.allowed.wait()
        writer.write(OK)


async def test_a_silent_connection_makes_room_before_an_idle_one(start_gateway: StartGateway) -> None:
    gateway = start_gateway(connections=3)
    idle, silent, other = [await Wire.open(gateway.port) for _ in range(3)]
    assert (await idle.request("GET", "/")).status == 200
    assert (await (await Wire.open(gateway.port)).request("GET", "/")).status == 200
    assert await silent.reader.read() == b""
    assert (await idle.request("GET", "/")).status == 200
    assert (await (await Wire.open(gateway.port)).request("GET", "/")).status == 200
    assert await other.reader.read() == b""
    assert gateway.counters.evicted == 2
    assert gateway.counters.refused == {}


@pytest.mark.parametrize(
    ("limits", "status", "code"),
    [
        ({"connections_per_address": 4}, 429, "too_many_from_address"),
        ({"connections": 4}, 503, "too_many_connections"),
    ],
)
async def test_connections_that_work_are_never_closed_for_others(
    start_gateway: StartGateway, upstream: Upstream, limits: dict[str, float], status: int, code: str
) -> None:
    gateway, waiting = start_gateway(**limits), Waiting(upstream)
    working = [await Wire.open(gateway.port) for _ in range(4)]
    for wire in working:
        wire.writer.write(head("GET", "/", {}))
    await wait_until_true(lambda: len(upstream.received) == 4)
    refused = await (await Wire.open(gateway.port)).answer()
    assert (refused.status, refused.code, refused.headers["retry-after"]) == (status, code, "1")
    waiting.allowed.set()
    assert [(await wire.answer()).status for wire in working] == [200] * 4
    assert (await (await Wire.open(gateway.port)).request("GET", "/")).status == 200


async def test_many_connections_that_come_and_go_leave_no_trace(start_gateway: StartGateway) -> None:
    gateway = start_gateway(connections_per_address=8)
    for _ in range(300):
        wire = await Wire.open(gateway.port)
        assert (await wire.request("GET", "/")).status == 200
        await wire.abort()
    await wait_until_true(lambda: gateway.counters.open == 0)
    assert gateway.counters.refused == {}


async def pour(_: Received, reader: Reader, writer: Writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"a" * 65536 + b"\r\n")
        await writer.drain()


async def deaf(gateway: RunningGateway) -> Wire:
    """Open a connection that asks and does not read."""
    wire = await Wire.open(gateway.port)
    wire.writer.transport.pause_reading()
    wire.writer.write(head("GET", "/", {}))
    return wire


async def test_a_client_that_does_not_read_is_reset(start_gateway: StartGateway, upstream: Upstream) -> None:
    gateway = start_gateway(write_seconds=2)
    upstream.answer = pour
    wire = await deaf(gateway)
    await wait_until_true(lambda: gateway.counters.stalled == 1)
    await wait_until_true(lambda: gateway.counters.open == 0)
    await wait_until_true(upstream.left.is_set)
    wire.writer.transport.resume_reading()
    with pytest.raises(ConnectionResetError):
        await wire.reader.read(-1)


async def test_the_answers_that_one_address_does_not_read_are_limited(
    start_gateway: StartGateway, upstream: Upstream
) -> None:
    gateway = start_gateway(write_seconds=PATIENCE_SECONDS, unread_bytes_per_address=512 * KIBIBYTE)
    upstream.answer = pour
    wires = [await deaf(gateway) for _ in range(20)]
    # Seven times 64 KiB and a little more fit.
    await wait_until_true(lambda: gateway.counters.stalled > 12)
    assert 0 < gateway.counters.open < 8
    # A client that reads is served.
    upstream.answer = lambda _request, _reader, writer: _write(writer)
    assert (await (await Wire.open(gateway.port)).request("GET", "/")).status == 200
    for wire in wires:
        await wire.abort()
    await wait_until_true(lambda: gateway.counters.open <= 1)


async def _write(writer: Writer) -> None:
    writer.write(OK)
    await writer.drain()


async def test_more_requests_than_connections_to_the_server_are_refused(
    start_gateway: StartGateway, upstream: Upstream
) -> None:
    gateway, waiting = start_gateway(upstream_connections=2), Waiting(upstream)
    wires = [await Wire.open(gateway.port) for _ in range(3)]
    for wire in wires[:2]:
        wire.writer.write(head("GET", "/", {}))
    await wait_until_true(lambda: len(upstream.received) == 2)
    refused = await wires[2].request("GET", "/")
    assert (refused.status, refused.code) == (503, "upstream_unavailable")
    waiting.allowed.set()
    assert [(await wire.answer()).status for wire in wires[:2]] == [200, 200]
    assert (await wires[2].request("GET", "/")).status == 200
