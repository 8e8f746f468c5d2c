"""A live stream that the app hands over: the gateway writes its blocks, and reports its end."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from fechatter.native import Certificates, Streams
from tests.gateway.conftest import RunningGateway, StartGateway
from tests.gateway.frames import DATA, END_STREAM, Http2, request
from tests.gateway.live import CLOSING, App, listen
from tests.gateway.tls import client
from tests.gateway.upstream import Upstream
from tests.journeys.senders import wait_until_true
from tests.journeys.stream import open_narrow
from tests.journeys.wire import Wire, head
from tests.servers.process import PATIENCE_SECONDS

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
SMALL_WINDOW = 4096
LARGE = b"x" * 16_000


async def test_blocks_arrive_in_order_each_in_a_chunk(door: RunningGateway, app: App) -> None:
    wire, stream = await listen(door.port, app)
    for number in range(500):
        assert not stream.offer(b"data: %d\n\n" % number)
    for number in range(500):
        assert await wire.chunk() == b"data: %d\n\n" % number
    writes, blocks, size = app.streams.written()
    assert (1 <= writes <= blocks, blocks, size) == (True, 500, sum(len(b"data: %d\n\n" % one) for one in range(500)))
    await wire.abort()


async def test_many_streams_receive_the_same_blocks(door: RunningGateway, app: App) -> None:
    opened = [await listen(door.port, app) for _ in range(20)]
    for number in range(50):
        for _, stream in opened:
            stream.offer(b"data: %d\n\n" % number)
    for wire, _ in opened:
        assert [await wire.chunk() for _ in range(50)] == [b"data: %d\n\n" % number for number in range(50)]
        await wire.abort()


async def test_an_ended_stream_sends_what_waits_then_its_last_block(door: RunningGateway, app: App) -> None:
    wire, stream = await listen(door.port, app)
    stream.offer(b"data: a\n\n")
    stream.end(CLOSING)
    assert not stream.offer(b"data: too late\n\n")
    assert [await wire.chunk() for _ in range(3)] == [b"data: a\n\n", CLOSING, b""]
    assert await wire.reader.read() == b""
    assert await app.notice() == (stream.id, "left")
    assert door.counters.abandoned == 0


async def test_an_old_client_gets_blocks_without_chunks(door: RunningGateway, app: App) -> None:
    wire = await Wire.open(door.port)
    wire.writer.write(b"GET /events HTTP/1.0\r\nhost: a\r\n\r\n")
    _, headers = await wire.answer_head()
    assert "transfer-encoding" not in headers
    app.opened[0].offer(b"data: a\n\n")
    app.opened[0].end(CLOSING)
    assert await wire.reader.read() == b"data: a\n\n" + CLOSING


async def test_a_client_that_leaves_is_reported_once(door: RunningGateway, app: App) -> None:
    wire, stream = await listen(door.port, app)
    await wire.abort()
    assert await app.notice() == (stream.id, "left")
    stream.offer(b"data: a\n\n")
    stream.end(CLOSING)
    assert (stream.pending, app.streams.notices()) == (0, [])


async def test_requests_behind_a_stream_are_not_answered(door: RunningGateway, app: App, upstream: Upstream) -> None:
    wire, stream = await listen(door.port, app, more=head("GET", "/next", {}) * 3)
    wire.writer.write(b"x" * 100_000)
    stream.end(CLOSING)
    assert [await wire.chunk(), await wire.chunk()] == [CLOSING, b""]
    assert await wire.reader.read() == b""
    assert [one.target for one in upstream.received] == ["/events"]


@pytest.mark.parametrize("answered", [b"12345", b"nonsense", b"-1", b""])
async def test_an_unknown_stream_is_refused_and_an_invalid_id_is_ignored(
    door: RunningGateway, app: App, answered: bytes
) -> None:
    app.answered = answered
    answer = await (await Wire.open(door.port)).request("GET", "/events")
    assert (answer.status, answer.headers.get("x-fechatter-stream")) == (503 if answered == b"12345" else 200, None)
    assert app.streams.examine(0, 0, 0) == ([], [])
    assert await app.notice() == (app.opened[0].id, "left")


async def test_a_gateway_without_streams_only_removes_the_header(app: App, start_gateway: StartGateway) -> None:
    answer = await (await Wire.open(start_gateway().port)).request("GET", "/events")
    assert (answer.status, "x-fechatter-stream" in answer.headers) == (200, False)


async def test_only_one_connection_takes_a_stream(door: RunningGateway, app: App) -> None:
    wire, stream = await listen(door.port, app)
    app.answered = b"%d" % stream.id
    assert (await (await Wire.open(door.port)).request("GET", "/events")).status == 503
    stream.offer(b"data: a\n\n")
    assert await wire.chunk() == b"data: a\n\n"
    await wire.abort()


async def test_a_slow_client_is_stuck_and_then_reset_while_others_receive(door: RunningGateway, app: App) -> None:
    slow = await open_narrow(door.port, SMALL_WINDOW)
    slow.writer.write(head("GET", "/events", {}))
    await slow.answer_head()
    stream = app.opened[0]
    slow.writer.transport.pause_reading()  # type: ignore[attr-defined]
    wire, other = await listen(door.port, app)
    for _ in range(60):  # less than 1 MiB, above which it counts as slow
        stream.offer(LARGE)
    await wait_until_true(lambda: app.streams.examine(60, 0.2, 60)[0] == [stream.id])
    other.offer(b"data: a\n\n")
    assert await wire.chunk() == b"data: a\n\n"
    stream.end(CLOSING, discard=True)
    assert stream.pending == 1
    assert await app.notice() == (stream.id, "left")
    assert stream.pending == 0
    slow.writer.transport.resume_reading()  # type: ignore[attr-defined]
    with pytest.raises(ConnectionResetError):
        await slow.reader.read()
    await wire.abort()


async def test_a_full_stream_is_reported_by_the_offer(app: App) -> None:
    full = Streams(10, 100).open()
    assert [full.offer(b"x") for _ in range(11)] == [False] * 10 + [True]
    large = Streams(10, 100).open()
    assert [large.offer(b"x" * 200), large.offer(b"x")] == [False, True]


async def test_a_quiet_stream_is_listed_until_something_is_written(door: RunningGateway, app: App) -> None:
    wire, stream = await listen(door.port, app)
    await wait_until_true(lambda: app.streams.examine(60, 60, 0)[1] == [stream.id])
    assert app.streams.examine(60, 60, 60) == ([], [])
    await wire.abort()
    await app.notice()
    assert app.streams.examine(0, 0, 0) == ([], [])


async def test_an_empty_stream_is_reported_if_the_app_asks(door: RunningGateway, app: App) -> None:
    wire, stream = await listen(door.port, app)
    stream.offer(b"data: a\n\n")
    stream.report_empty()
    assert await wire.chunk() == b"data: a\n\n"
    assert await app.notice() == (stream.id, "empty")
    stream.report_empty()
    assert await app.notice() == (stream.id, "empty")
    await wire.abort()
    assert await app.notice() == (stream.id, "left")


async def test_a_stream_on_http_2_is_the_body_of_the_answer(door: RunningGateway, app: App) -> None:
    http2 = await Http2.open(door.port)
    http2.send(request(1, "/events"))
    assert await http2.status() == 200
    app.opened[0].offer(b"data: a\n\n")
    assert (await http2.until(DATA)).payload == b"data: a\n\n"
    app.opened[0].end(CLOSING)
    assert (await http2.until(DATA)).payload == CLOSING
    assert (await http2.until(DATA)).flags & END_STREAM
    assert await app.notice() == (app.opened[0].id, "left")
    http2.send(request(3, "/events"))
    assert await http2.status() == 200
    await http2.wire.abort()
    assert await app.notice() == (app.opened[1].id, "left")


async def test_a_stream_over_tls(app: App, start_gateway: StartGateway, certificates: Certificates) -> None:
    gateway = start_gateway(certificates, live=app.streams)
    tls: ssl.SSLContext = client("http/1.1")
    wire = await Wire.open(gateway.port, tls)
    wire.writer.write(head("GET", "/events", {}))
    await wire.answer_head()
    for number in range(100):
        app.opened[0].offer(b"data: %d\n\n" % number)
    assert [await wire.chunk() for _ in range(100)] == [b"data: %d\n\n" % number for number in range(100)]
    app.opened[0].end(CLOSING)
    assert [await wire.chunk(), await wire.chunk()] == [CLOSING, b""]
    assert await app.notice() == (app.opened[0].id, "left")


async def test_a_stop_waits_for_the_last_block_of_each_stream(app: App, start_gateway: StartGateway) -> None:
    gateway = start_gateway(live=app.streams)
    opened = [await listen(gateway.port, app) for _ in range(5)]
    gateway.stop_accepting()
    assert not await asyncio.to_thread(gateway.gateway.wait_idle, 0.05)
    for _, stream in opened:
        stream.end(CLOSING)
    assert await asyncio.to_thread(gateway.gateway.wait_idle, PATIENCE_SECONDS)
    for wire, _ in opened:
        assert [await wire.chunk(), await wire.chunk()] == [CLOSING, b""]


async def test_a_gateway_that_stops_reports_every_stream(app: App, start_gateway: StartGateway) -> None:
    gateway = start_gateway(live=app.streams)
    opened = [await listen(gateway.port, app) for _ in range(3)]
    await gateway.stop()
    assert sorted([await app.notice() for _ in opened]) == [(stream.id, "left") for _, stream in opened]


async def test_a_stream_has_one_connection_and_keeps_no_connection_of_the_app(door: RunningGateway, app: App) -> None:
    opened = [await listen(door.port, app) for _ in range(10)]
    assert (door.counters.open, door.counters.upstream_open) == (10, 1)
    for wire, _ in opened:
        await wire.abort()
