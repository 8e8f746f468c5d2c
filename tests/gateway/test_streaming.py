"""Bodies stream in both directions, and each side notices at once when the other one leaves."""

from __future__ import annotations

import asyncio
import os

import pytest

from tests.gateway.conftest import RunningGateway, StartGateway
from tests.gateway.upstream import OK, Received, Upstream, wait_for
from tests.journeys.senders import wait_until_true
from tests.journeys.wire import Wire, head
from tests.servers.process import PATIENCE_SECONDS

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
MEBIBYTE = 1 << 20


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


class EventSource:
    """An answer that the test writes piece by piece."""

    def __init__(self, upstream: Upstream) -> None:
        self.writer: Writer | None = None
        self.opened = asyncio.Event()
        self.left = asyncio.Event()
        upstream.answer = self.answer

    async def answer(self, _: Received, reader: Reader, writer: Writer) -> None:
        writer.write(STREAM)
        self.writer = writer
        self.opened.set()
        await reader.read()
        self.left.set()

    async def send(self, data: bytes) -> None:
        await wait_for(self.opened)
        assert self.writer is not None
        self.writer.write(chunk(data))


async def test_each_event_arrives_at_once(gateway: RunningGateway, upstream: Upstream) -> None:
    source, wire = EventSource(upstream), await Wire.open(gateway.port)
    wire.writer.write(head("GET", "/events", {}))
    assert (await wire.answer_head())[0] == 200
    for number in range(20):
        await source.send(b"data: %d\n\n" % number)
        assert await wire.chunk() == b"data: %d\n\n" % number


@pytest.mark.parametrize("pipelined", [b"", b"GET /next HTTP/1.1\r\nhost: a\r\n\r\n"])
async def test_a_client_that_leaves_ends_the_stream_of_the_server(
    gateway: RunningGateway, upstream: Upstream, pipelined: bytes
) -> None:
    source, wire = EventSource(upstream), await Wire.open(gateway.port)
    wire.writer.write(head("GET", "/events", {}) + pipelined)
    await wire.answer_head()
    await source.send(b"data: a\n\n")
    await wire.chunk()
    await wire.abort()
    await wait_for(source.left)
    assert [request.target for request in upstream.received] == ["/events"]


async def test_a_client_that_leaves_before_the_answer_ends_the_request(
    gateway: RunningGateway, upstream: Upstream
) -> None:
    left = asyncio.Event()

    async def answer(_: Received, reader: Reader, writer: Writer) -> None:
        assert await reader.read() == b""
        left.set()

    upstream.answer = answer
    wire = await Wire.open(gateway.port)
    wire.writer.write(head("GET", "/", {}))
    await wait_until_true(lambda: len(upstream.received) == 1)
    await wire.abort()
    await wait_for(left)


@pytest.mark.parametrize("ending", [b"0\r\n\r\n", b""])
async def test_a_client_sees_whether_the_answer_is_complete(
    gateway: RunningGateway, upstream: Upstream, ending: bytes
) -> None:
    async def answer(_: Received, reader: Reader, writer: Writer) -> None:
        writer.write(STREAM + chunk(b"data: a\n\n") + ending)
        await writer.drain()
        if not ending:
            writer.close()

    upstream.answer = answer
    wire = await Wire.open(gateway.port)
    wire.writer.write(head("GET", "/", {}))
    if ending:
        assert (await wire.answer()).body == b"data: a\n\n"
    else:
        with pytest.raises(ConnectionError):
            await wire.answer()


async def test_an_answer_that_ends_with_the_connection_is_complete(gateway: RunningGateway, upstream: Upstream) -> None:
    async def answer(_: Received, reader: Reader, writer: Writer) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nuntil the end")
        await writer.drain()
        writer.close()

    upstream.answer = answer
    assert (await (await Wire.open(gateway.port)).request("GET", "/")).body == b"until the end"


async def test_large_bodies_pass_in_both_directions(gateway: RunningGateway, upstream: Upstream) -> None:
    async def echo(request: Received, _: Reader, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(request.body) + request.body)
        await writer.drain()

    upstream.answer = echo
    sent = os.urandom(8 * MEBIBYTE)
    wire = await Wire.open(gateway.port)
    for _ in range(2):
        answer = await wire.request("POST", "/", sent)
        assert answer.body == sent
    wire.writer.write(head("POST", "/", {"transfer-encoding": "chunked"}) + chunk(sent) + b"0\r\n\r\n")
    assert (await wire.answer()).body == sent


async def test_a_server_that_answers_early_is_heard(gateway: RunningGateway, upstream: Upstream) -> None:
    async def refuse(_: Received, reader: Reader, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\nconnection: close\r\n\r\nbig")
        await writer.drain()
        writer.close()

    upstream.reads_bodies = False
    upstream.answer = refuse
    for announced in ({"content-length": str(4 * MEBIBYTE)}, {"transfer-encoding": "chunked"}):
        for size in (1000, 3 * MEBIBYTE):
            wire = await Wire.open(gateway.port)
            wire.writer.write(head("POST", "/", announced) + b"300000\r\n" + b"a" * size)
            answer = await wire.answer()
            assert (answer.status, answer.body) == (413, b"big")
    # The next request does not use that connection.
    upstream.reads_bodies = True
    upstream.answer = lambda _request, _reader, writer: _write(writer, OK)
    assert (await (await Wire.open(gateway.port)).request("GET", "/")).status == 200


async def _write(writer: Writer, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


async def test_a_body_is_announced_and_sent_only_if_the_server_wants_it(
    gateway: RunningGateway, upstream: Upstream
) -> None:
    asked = head("POST", "/", {"content-length": "2", "expect": "100-continue"})
    upstream.reads_bodies = False

    async def accept(request: Received, reader: Reader, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.body = await reader.readexactly(2)
        writer.write(OK)

    upstream.answer = accept
    wire = await Wire.open(gateway.port)
    wire.writer.write(asked)
    assert await wire.answer_head() == (100, {})
    wire.writer.write(b"{}")
    assert (await wire.answer()).status == 200
    assert upstream.received[-1].body == b"{}"

    async def refuse(_: Received, reader: Reader, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n")
        await reader.read()

    upstream.answer = refuse
    wire = await Wire.open(gateway.port)
    wire.writer.write(asked)
    assert (await wire.answer()).status == 401


async def test_informational_answers_are_not_taken_for_the_answer(gateway: RunningGateway, upstream: Upstream) -> None:
    async def answer(_: Received, reader: Reader, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + OK)

    upstream.answer = answer
    wire = await Wire.open(gateway.port)
    assert [(await wire.request("GET", "/")).body for _ in range(2)] == [b"ok", b"ok"]


@pytest.mark.parametrize(
    ("method", "answered"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\netag: a\r\n\r\n"),
        ("GET", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
    ],
)
async def test_answers_without_a_body_leave_the_connection_usable(
    gateway: RunningGateway, upstream: Upstream, method: str, answered: bytes
) -> None:
    async def answer(_: Received, reader: Reader, writer: Writer) -> None:
        writer.write(answered)

    upstream.answer = answer
    wire = await Wire.open(gateway.port)
    for _ in range(3):
        wire.writer.write(head(method, "/", {}))
        async with asyncio.timeout(PATIENCE_SECONDS):
            status, headers = await wire.answer_head()
        assert status == int(answered[9:12])
        if method == "HEAD":
            assert headers["content-length"] == "100"
    assert upstream.connections == 1


async def test_a_client_that_does_not_read_stops_the_server(gateway: RunningGateway, upstream: Upstream) -> None:
    written = 0

    async def pour(_: Received, reader: Reader, writer: Writer) -> None:
        nonlocal written
        writer.write(STREAM)
        while written < 256 * MEBIBYTE:
            writer.write(chunk(b"a" * (MEBIBYTE // 4)))
            await writer.drain()
            written += MEBIBYTE // 4

    upstream.answer = pour
    wire = await Wire.open(gateway.port)
    wire.writer.transport.pause_reading()
    wire.writer.write(head("GET", "/", {}))
    seen = -1
    while seen != written or written == 0:
        seen = written
        await asyncio.sleep(0.3)
    # What the kernel's buffers of two connections hold, and little more.
    assert written < 32 * MEBIBYTE


async def test_a_server_that_does_not_read_stops_the_client(gateway: RunningGateway, upstream: Upstream) -> None:
    async def ignore(_: Received, reader: Reader, writer: Writer) -> None:
        reader._transport.pause_reading()  # type: ignore[attr-defined]  # asyncio has no public method
        await asyncio.Event().wait()

    upstream.reads_bodies = False
    upstream.answer = ignore
    wire, sent = await Wire.open(gateway.port), 0
    wire.writer.write(head("POST", "/", {"content-length": str(30 * MEBIBYTE)}))
    try:
        async with asyncio.timeout(3):
            while sent < 30 * MEBIBYTE:
                wire.writer.write(b"a" * (MEBIBYTE // 4))
                await wire.writer.drain()
                sent += MEBIBYTE // 4
    except TimeoutError:
        pass
    assert sent < 30 * MEBIBYTE


async def test_an_idle_connection_that_the_server_closed_is_replaced(
    gateway: RunningGateway, upstream: Upstream
) -> None:
    async def answer_and_close(_: Received, reader: Reader, writer: Writer) -> None:
        writer.write(OK)
        await writer.drain()
        writer.close()

    upstream.answer = answer_and_close
    wire = await Wire.open(gateway.port)
    assert [(await wire.request("POST", "/", b"{}")).status for _ in range(20)] == [200] * 20
    assert len(upstream.received) == 20


async def test_a_server_that_dies_during_a_request_is_reported(gateway: RunningGateway, upstream: Upstream) -> None:
    async def die(_: Received, reader: Reader, writer: Writer) -> None:
        writer.transport.abort()

    upstream.answer = die
    answer = await (await Wire.open(gateway.port)).request("POST", "/", b"{}")
    assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "upstream_unavailable", "1")
    # The request may have had an effect, so it is not repeated.
    assert len(upstream.received) == 1


async def test_no_server_behind_the_gateway_is_reported(start_gateway: StartGateway, upstream: Upstream) -> None:
    gateway = start_gateway()
    port, upstream.port = upstream.port, 1
    lonely = start_gateway()
    for _ in range(2):
        answer = await (await Wire.open(lonely.port)).request("GET", "/")
        assert (answer.status, answer.code) == (503, "upstream_unavailable")
        assert "retry-after" in answer.headers
    upstream.port = port
    assert (await (await Wire.open(gateway.port)).request("GET", "/")).status == 200
    assert lonely.counters.refused == {"upstream_unavailable": 2}
