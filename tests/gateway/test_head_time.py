"""The time limit of a head counts only bytes of a head, and only while no request is in progress."""

from __future__ import annotations

import pytest

from tests.gateway.conftest import RunningGateway, StartGateway
from tests.gateway.test_limits import SHORT, Waiting, until_closed
from tests.gateway.upstream import Upstream
from tests.journeys.senders import wait_until_true
from tests.journeys.wire import Wire, head
from tests.servers.process import PATIENCE_SECONDS

POST = b"POST / HTTP/1.1\r\nhost: a\r\n"
TWO = POST + b"content-length: 2\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
PIECES = {
    "a body after its head": [TWO, b"{}"],
    "a body in pieces": [TWO, b"{", b"}"],
    "a body that begins with its head": [TWO + b"{", b"}"],
    "chunks in pieces": [POST + b"transfer-encoding: chunked\r\n\r\n", b"2\r\n{", b"}\r\n", b"0\r\n", b"\r\n"],
    "an empty line after a body": [TWO, b"{}\r\n"],
    "an empty line after an answer": [head("GET", "/", {}), b"\r\n"],
    "pipelined bodies": [TWO + b"{", b"}" + TWO + b"{", b"}"],
}


async def head_time_has_passed(gateway: RunningGateway) -> None:
    """Wait until a connection that was opened now has been silent for too long."""
    assert await (await Wire.open(gateway.port)).reader.read() == b""


@pytest.mark.parametrize("name", PIECES)
@pytest.mark.parametrize("is_slow", [False, True])
async def test_requests_in_pieces_are_answered_once_and_leave_the_connection_idle(
    start_gateway: StartGateway, upstream: Upstream, name: str, is_slow: bool
) -> None:
    gateway = start_gateway(head_seconds=SHORT, idle_seconds=PATIENCE_SECONDS)
    wire, pieces = await Wire.open(gateway.port), PIECES[name]
    for piece in pieces:
        wire.writer.write(piece)
        await wait_until_true(lambda: gateway.counters.requests > 0)
        if is_slow or piece is pieces[-1]:
            await head_time_has_passed(gateway)
    wire.writer.write(LAST)
    answered, requests = await until_closed(wire), len(upstream.received)
    assert (answered.count(b"HTTP/1.1"), answered.count(b"HTTP/1.1 200 ")) == (requests, requests)
    assert upstream.received[-1].target == "/last"
    assert gateway.counters.refused == {}


async def test_a_head_that_begins_with_the_end_of_a_body_is_limited(
    start_gateway: StartGateway, upstream: Upstream
) -> None:
    gateway = start_gateway(head_seconds=SHORT, idle_seconds=PATIENCE_SECONDS)
    wire = await Wire.open(gateway.port)
    wire.writer.write(TWO + b"{")
    await wait_until_true(lambda: gateway.counters.requests == 1)
    wire.writer.write(b"}GET / HT")
    answered = await until_closed(wire)
    assert [answered.count(b"HTTP/1.1 %d" % status) for status in (200, 408)] == [1, 1]
    assert len(upstream.received) == 1


async def test_the_time_of_a_head_begins_after_the_answer_before_it(
    start_gateway: StartGateway, upstream: Upstream
) -> None:
    gateway, waiting = start_gateway(head_seconds=2, idle_seconds=PATIENCE_SECONDS), Waiting(upstream)
    wire = await Wire.open(gateway.port)
    wire.writer.write(head("GET", "/", {}) + b"GET / HT")
    await wait_until_true(lambda: len(upstream.received) == 1)
    await head_time_has_passed(gateway)
    waiting.allowed.set()
    assert (await wire.answer()).status == 200
    assert (await wire.raw(b"TP/1.1\r\nhost: a\r\n\r\n")).status == 200
