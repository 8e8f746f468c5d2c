"""HTTP/2 with prior knowledge, and clients that abuse it."""

from __future__ import annotations

import asyncio
import struct

import pytest

from tests.gateway.conftest import RunningGateway, StartGateway
from tests.gateway.frames import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PING,
    PREFACE,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    Http2,
    frame,
    request,
)
from tests.gateway.test_limits import Waiting
from tests.gateway.upstream import Received, Upstream, wait_for
from tests.journeys.senders import wait_until_true
from tests.journeys.wire import Wire
from tests.servers.process import PATIENCE_SECONDS

CANCEL = struct.pack(">I", 8)


async def test_requests_of_one_connection_run_at_the_same_time(gateway: RunningGateway, upstream: Upstream) -> None:
    waiting, client = Waiting(upstream), await Http2.open(gateway.port)
    client.send(*(request(stream, f"/{stream}") for stream in range(1, 41, 2)))
    await wait_until_true(lambda: len(upstream.received) == 20)
    waiting.allowed.set()
    assert [await client.status() for _ in range(20)] == [200] * 20
    assert {one.target for one in upstream.received} == {f"/{stream}" for stream in range(1, 41, 2)}
    assert {(one.version, *one.values("host")) for one in upstream.received} == {("HTTP/1.1", "a")}
    assert gateway.counters.open == 1


@pytest.mark.parametrize("announced", [{"content-length": "6"}, {}])
async def test_a_body_arrives_with_one_framing(
    gateway: RunningGateway, upstream: Upstream, announced: dict[str, str]
) -> None:
    client = await Http2.open(gateway.port)
    client.send(request(1, method="POST", end=False, **announced))
    client.send(frame(DATA, 0, 1, b"abc"), frame(DATA, END_STREAM, 1, b"def"))
    assert await client.status() == 200
    assert upstream.received[0].body == b"abcdef"


@pytest.mark.parametrize(
    "more",
    [
        {"connection": "close"},
        {"transfer-encoding": "chunked"},
        {"te": "gzip"},
        {"upgrade": "h2c"},
        {"X": "upper case"},
        {"x": "a\r\nb: c"},
        {"x": "a\nb"},
        {"x": "a\0"},
        {"x y": "a"},
        {"x:": "a"},
        {"content-length": "5"},
        {"content-length": "a"},
        {":path": "/again"},
        {":unknown": "a"},
        {"host": "other"},
    ],
)
async def test_headers_that_http_1_would_read_differently_never_reach_the_server(
    gateway: RunningGateway, upstream: Upstream, more: dict[str, str]
) -> None:
    client = await Http2.open(gateway.port)
    client.send(request(1, **more) if ":path" not in more else _two_paths())
    ending = await client.next()
    while ending is not None and ending.kind not in (HEADERS, RST_STREAM, GOAWAY):
        ending = await client.next()
    if ending is not None and ending.kind == HEADERS:
        assert 0x8C in ending.payload[:4]
    assert upstream.received == []


def _two_paths() -> bytes:
    one = request(1, "/a")
    return frame(HEADERS, END_STREAM | END_HEADERS, 1, one[9:] + one[9:])


@pytest.mark.parametrize("path", ["/a b", "/a\r\nx: y", "", "a", "*"])
async def test_a_path_cannot_inject_a_header(gateway: RunningGateway, upstream: Upstream, path: str) -> None:
    client = await Http2.open(gateway.port)
    client.send(request(1, path))
    while (found := await client.next()) is not None and found.kind not in (HEADERS, RST_STREAM, GOAWAY):
        pass
    for one in upstream.received:
        assert " " not in one.target
        assert one.values("x") == []


async def test_forged_headers_are_removed(gateway: RunningGateway, upstream: Upstream) -> None:
    client = await Http2.open(gateway.port)
    client.send(request(1, **{"x-fechatter-peer": "203.0.113.1:1", "x-fechatter-scheme": "https"}))
    assert await client.status() == 200
    assert upstream.received[0].values("x-fechatter-scheme") == ["http"]
    assert upstream.received[0].values("x-fechatter-peer")[0].startswith("127.0.0.1:")


async def test_a_stream_that_the_client_cancels_ends_at_the_server(gateway: RunningGateway, upstream: Upstream) -> None:
    left = asyncio.Event()

    async def answer(one: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        left.set()

    upstream.answer = answer
    client = await Http2.open(gateway.port)
    client.send(request(1))
    await wait_until_true(lambda: len(upstream.received) == 1)
    client.send(frame(RST_STREAM, 0, 1, CANCEL))
    await wait_for(left)
    assert gateway.counters.open == 1


async def _good_client(gateway: RunningGateway) -> None:
    wire = await Wire.open(gateway.port)
    assert (await wire.request("GET", "/good")).status == 200


async def _kinds(client: Http2) -> set[int]:
    """Return the kinds of all frames until the connection ends."""
    kinds = set()
    while (found := await client.next()) is not None:
        kinds.add(found.kind)
    return kinds


FLOODS = {
    "rapid reset": lambda number: request(number * 2 + 1, "/bad") + frame(RST_STREAM, 0, number * 2 + 1, CANCEL),
    "settings": lambda _: frame(SETTINGS, 0, 0),
    "pings": lambda _: frame(PING, 0, 0, b"12345678"),
    "priorities": lambda number: frame(PRIORITY, 0, number * 2 + 1, b"\0\0\0\0\1"),
    "empty data": lambda number: request(1, "/bad", "POST", end=False) if number == 0 else frame(DATA, 0, 1),
    "continuation": lambda number: (
        frame(HEADERS, 0, 1, b"") if number == 0 else frame(CONTINUATION, 0, 1, b"\0\1x\1y" * 50)
    ),
    "empty continuation": lambda number: frame(HEADERS, 0, 1, b"") if number == 0 else frame(CONTINUATION, 0, 1),
    "acknowledgements": lambda _: frame(SETTINGS, ACK, 0),
}


@pytest.mark.parametrize("name", FLOODS)
async def test_a_flood_ends_its_connection_and_nobody_else_notices(
    gateway: RunningGateway, upstream: Upstream, name: str
) -> None:
    client = await Http2.open(gateway.port)
    kinds = asyncio.ensure_future(_kinds(client))
    for number in range(20_000):
        client.send(FLOODS[name](number))
        if number % 500 == 0:
            await _good_client(gateway)
        if client.wire.writer.is_closing():
            break
    assert GOAWAY in await kinds
    await _good_client(gateway)
    assert len([one for one in upstream.received if one.target == "/bad"]) <= 1000


async def test_more_streams_than_allowed_are_refused(start_gateway: StartGateway, upstream: Upstream) -> None:
    gateway = start_gateway(streams=10)
    Waiting(upstream)
    client = await Http2.open(gateway.port)
    client.send(*(request(stream) for stream in range(1, 61, 2)))
    assert (await client.until(RST_STREAM)).payload == struct.pack(">I", 7)
    assert len(upstream.received) <= 10


async def test_headers_that_are_too_large_are_refused(gateway: RunningGateway, upstream: Upstream) -> None:
    client = await Http2.open(gateway.port)
    for stream in range(1, 201, 2):
        client.send(request(stream, **{f"x-{number}": "a" * 4000 for number in range(3)}))
    assert await client.status() == 200
    large = request(201, **{f"x-{number}": "a" * 4000 for number in range(4)})
    block = large[9:] + request(201, **{"y": "a" * 8000})[9:]
    client.send(frame(HEADERS, END_STREAM, 201, block[:16000]))
    client.send(*(frame(CONTINUATION, 0, 201, b"\0\1x" + b"\x7f\xa1\x7c" + b"a" * 16_000) for _ in range(8)))
    client.send(frame(CONTINUATION, END_HEADERS, 201))
    seen = len(upstream.received)
    while (found := await client.next()) is not None:
        if found.kind in (GOAWAY, RST_STREAM) or (found.kind == HEADERS and found.stream == 201):
            break
    assert len([one for one in upstream.received[seen:] if one.values("y")]) == 0


async def test_a_quiet_connection_is_ended_with_a_notice(start_gateway: StartGateway) -> None:
    gateway = start_gateway(head_seconds=0.5, idle_seconds=0.5)
    silent, idle = await Http2.open(gateway.port), await Http2.open(gateway.port)
    idle.send(request(1))
    assert await idle.status() == 200
    for client in (silent, idle):
        await client.until(GOAWAY)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await client.next() is not None:
                pass


async def test_a_stop_answers_open_streams_and_announces_the_end(gateway: RunningGateway, upstream: Upstream) -> None:
    waiting, client = Waiting(upstream), await Http2.open(gateway.port)
    client.send(request(1))
    await wait_until_true(lambda: len(upstream.received) == 1)
    gateway.stop_accepting()
    await client.until(GOAWAY)
    waiting.allowed.set()
    assert await client.status() == 200
    assert await asyncio.to_thread(gateway.gateway.wait_idle, PATIENCE_SECONDS)


async def test_half_a_preface_is_not_http_2(gateway: RunningGateway, upstream: Upstream) -> None:
    wire = await Wire.open(gateway.port)
    wire.writer.write(PREFACE[:16] + b"\r\n\r\n")
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert (await wire.reader.read()).startswith(b"HTTP/1.1 400 ")
