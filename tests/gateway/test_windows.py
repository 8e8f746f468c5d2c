"""Clients of HTTP/2 that accept nothing of their answers: each stream has the limits of a socket."""

from __future__ import annotations

import asyncio
import struct

import pytest

from tests.gateway.conftest import RunningGateway, StartGateway
from tests.gateway.frames import DATA, END_STREAM, HEADERS, RST_STREAM, SETTINGS, Http2, request, update
from tests.gateway.live import CLOSING, App
from tests.gateway.test_limits import KIBIBYTE, Waiting, pour
from tests.gateway.upstream import Handler, Received, Upstream, wait_for
from tests.journeys.senders import wait_until_true
from tests.journeys.wire import Wire
from tests.servers.process import PATIENCE_SECONDS

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
CANCEL = struct.pack(">I", 8)
NEVER = PATIENCE_SECONDS * 100
SOME = 300 * KIBIBYTE


def content(size: int) -> bytes:
    return b"".join(b"%7d\n" % number for number in range(size // 8))


async def sized(one: Received, _reader: Reader, writer: Writer) -> None:
    """Answer with as many bytes as the path names."""
    body = content(int(one.target.strip("/") or 16))
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
    await writer.drain()


async def chunked(_one: Received, _reader: Reader, writer: Writer) -> None:
    body = content(SOME)
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n")
    await writer.drain()


@pytest.mark.parametrize("window", [0, 1, 1000])
@pytest.mark.parametrize("answer", [sized, chunked, pour])
async def test_a_stream_that_accepts_nothing_is_reset_and_the_others_continue(
    start_gateway: StartGateway, upstream: Upstream, window: int, answer: Handler
) -> None:
    gateway = start_gateway(write_seconds=1)
    upstream.answer = answer
    client = await Http2.open(gateway.port, window=window)
    client.send(request(1, f"/{SOME}"))
    reset = await client.until(RST_STREAM)
    assert (reset.stream, reset.payload) == (1, CANCEL)
    await wait_until_true(lambda: gateway.counters.forwarding == 0)
    assert (gateway.counters.stalled, gateway.counters.open) == (1, 1)
    upstream.answer = sized
    client.send(request(3, "/16"), update(3, 100))
    assert await client.status() == 200
    assert (await client.until(DATA)).payload == content(16)


async def test_a_small_answer_is_reset_too(start_gateway: StartGateway, upstream: Upstream) -> None:
    gateway = start_gateway(write_seconds=1)
    client = await Http2.open(gateway.port, window=0)
    client.send(*(request(stream) for stream in range(1, 21, 2)))
    assert {(await client.until(RST_STREAM)).stream for _ in range(10)} == set(range(1, 21, 2))
    assert gateway.counters.stalled == 10


async def test_an_upstream_notices_that_nobody_accepts_its_answer(
    start_gateway: StartGateway, upstream: Upstream
) -> None:
    gateway = start_gateway(write_seconds=1)
    upstream.answer = pour
    client = await Http2.open(gateway.port, window=0)
    client.send(request(1))
    await wait_for(upstream.left)
    await wait_until_true(lambda: gateway.counters.upstream_open == 0)


async def test_a_small_answer_keeps_no_connection_to_the_server(
    start_gateway: StartGateway, upstream: Upstream
) -> None:
    gateway = start_gateway(upstream_connections=1, write_seconds=NEVER)
    client = await Http2.open(gateway.port, window=0)
    for stream in range(1, 41, 2):
        client.send(request(stream))
        assert await client.status() == 200
    assert (await (await Wire.open(gateway.port)).request("GET", "/")).status == 200


@pytest.mark.parametrize("size", [0, 8, 1024, 1032, 8192, 9216, 100_000, 1_000_000])
@pytest.mark.parametrize("step", [None, 1_000, 65_536])
async def test_every_answer_arrives_completely(
    start_gateway: StartGateway, upstream: Upstream, size: int, step: int | None
) -> None:
    gateway = start_gateway()
    upstream.answer = sized
    client = await Http2.open(gateway.port, window=step)
    client.send(update(0, 1 << 30), request(1, f"/{size}"))
    assert await client.status() == 200
    received, is_last = b"", size == 0
    while not is_last:
        found = await client.until(DATA)
        received, is_last = received + found.payload, bool(found.flags & END_STREAM)
        if found.payload:
            client.send(update(1, len(found.payload)))
    assert received == content(size)
    await wait_until_true(lambda: gateway.counters.forwarding == 0)
    assert (gateway.counters.abandoned, gateway.counters.stalled) == (0, 0)


async def test_the_streams_of_one_address_count_for_its_unread_bytes(
    start_gateway: StartGateway, upstream: Upstream
) -> None:
    gateway = start_gateway(write_seconds=NEVER, unread_bytes_per_address=512 * KIBIBYTE)
    upstream.answer = pour
    clients = [await Http2.open(gateway.port, window=0) for _ in range(2)]
    for client in clients:
        client.send(*(request(stream) for stream in range(1, 81, 2)))
    # Each stream counts at least 40 KiB, so at most 12 of these 80 fit.
    await wait_until_true(lambda: gateway.counters.stalled >= 68)
    await wait_until_true(lambda: gateway.counters.forwarding <= 12)
    upstream.answer = sized
    assert (await (await Wire.open(gateway.port)).request("GET", "/16")).status == 200
    for client in clients:
        await client.wire.abort()
    await wait_until_true(lambda: gateway.counters.forwarding == 0)


async def test_one_address_has_as_many_requests_at_the_server_as_connections(
    start_gateway: StartGateway, upstream: Upstream
) -> None:
    gateway, waiting = start_gateway(connections_per_address=3), Waiting(upstream)
    clients = [await Http2.open(gateway.port) for _ in range(2)]
    clients[0].send(*(request(stream) for stream in range(1, 5, 2)))
    await wait_until_true(lambda: len(upstream.received) == 2)
    clients[1].send(*(request(stream) for stream in range(1, 11, 2)))
    assert [await clients[1].status() for _ in range(4)] == [0] * 4
    assert gateway.counters.refused == {"too_many_at_once": 4}
    await wait_until_true(lambda: len(upstream.received) == 3)
    waiting.allowed.set()
    assert [await clients[0].status() for _ in range(2)] == [200] * 2
    assert await clients[1].status() == 200
    clients[1].send(request(11))
    assert await clients[1].status() == 200


async def _live(gateway: RunningGateway, app: App) -> Http2:
    client = await Http2.open(gateway.port, window=0)
    client.send(request(1, "/events"))
    assert await client.status() == 200
    app.opened[-1].offer(b"data: a\n\n")
    await wait_until_true(lambda: app.opened[-1].pending == 0)
    return client


async def test_a_live_stream_that_accepts_nothing_is_reset(app: App, start_gateway: StartGateway) -> None:
    gateway = start_gateway(live=app.streams, write_seconds=1)
    client = await _live(gateway, app)
    assert (await client.until(RST_STREAM)).payload == CANCEL
    assert await app.notice() == (app.opened[0].id, "left")


async def test_a_live_stream_that_accepts_nothing_delays_no_stop(app: App, start_gateway: StartGateway) -> None:
    gateway = start_gateway(live=app.streams, write_seconds=NEVER, idle_seconds=NEVER)
    clients = [await _live(gateway, app) for _ in range(3)]
    gateway.stop_accepting()
    for stream in app.opened:
        stream.end(CLOSING)
    assert await asyncio.to_thread(gateway.gateway.wait_idle, PATIENCE_SECONDS)
    for client in clients:
        assert (await client.until(RST_STREAM)).payload == CANCEL


async def test_a_live_stream_that_accepts_later_loses_nothing(app: App, start_gateway: StartGateway) -> None:
    gateway = start_gateway(live=app.streams, write_seconds=NEVER)
    client = await _live(gateway, app)
    large = b"data: " + b"x" * 20_000 + b"\n\n"
    app.opened[0].offer(large)
    client.send(update(1, 1 << 20))
    received = b""
    while len(received) < len(large) + 9:
        received += (await client.until(DATA)).payload
    assert received == b"data: a\n\n" + large


async def test_a_connection_whose_streams_were_reset_is_idle(start_gateway: StartGateway) -> None:
    gateway = start_gateway(write_seconds=0.5, idle_seconds=0.5)
    client = await Http2.open(gateway.port, window=0)
    client.send(request(1))
    kinds = []
    while (found := await client.next()) is not None:
        kinds.append(found.kind)
    assert kinds[0] == SETTINGS
    assert {HEADERS, RST_STREAM} <= set(kinds)
    await wait_until_true(lambda: gateway.counters.open == 0)
