"""A quiet connection that is closed to make room ends at once, and takes no further request."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from tests.gateway.conftest import StartGateway
from tests.gateway.frames import PREFACE, SETTINGS, Http2, frame, request
from tests.gateway.test_limits import Waiting
from tests.gateway.upstream import Received, Upstream
from tests.journeys.senders import wait_until_true
from tests.journeys.stream import open_narrow
from tests.journeys.wire import Wire, head
from tests.servers.process import PATIENCE_SECONDS

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
LIMIT = 4
HALF = b"GET /old HT"
BEGUN = PREFACE + frame(SETTINGS, 0, 0)
LARGE = 160 * 1024


async def _rest(wire: Wire) -> bytes:
    with contextlib.suppress(ConnectionError):
        return await wire.reader.read(-1)
    return b""


@pytest.mark.parametrize(
    ("beginning", "rest"),
    [
        (b"", head("GET", "/old", {})),
        (HALF, b"TP/1.1\r\nhost: a\r\n\r\n"),
        (b"", BEGUN + request(1, "/old")),
        (PREFACE[:10], PREFACE[10:] + frame(SETTINGS, 0, 0) + request(1, "/old")),
        (BEGUN, request(1, "/old")),
    ],
)
async def test_an_evicted_connection_takes_no_request(
    start_gateway: StartGateway, upstream: Upstream, beginning: bytes, rest: bytes
) -> None:
    gateway = start_gateway(connections_per_address=LIMIT, head_seconds=PATIENCE_SECONDS * 10)
    waiting = Waiting(upstream)
    old = [await Wire.open(gateway.port) for _ in range(LIMIT)]
    for wire in old:
        wire.writer.write(beginning)
        if beginning == BEGUN:
            await wire.reader.readexactly(9)
    new = [await Wire.open(gateway.port) for _ in range(LIMIT)]
    for wire in new:
        wire.writer.write(head("GET", "/new", {}))
    await wait_until_true(lambda: len(upstream.received) == LIMIT)
    for wire in old:
        wire.writer.write(rest)
        assert b"/old" not in await _rest(wire)
    await wait_until_true(lambda: gateway.counters.open == LIMIT)
    assert gateway.counters.evicted == LIMIT
    waiting.allowed.set()
    assert [(await wire.answer()).status for wire in new] == [200] * LIMIT
    assert {one.target for one in upstream.received} == {"/new"}


@pytest.mark.parametrize("limits", [{"connections_per_address": LIMIT}, {"connections": LIMIT}])
async def test_a_burst_never_has_more_connections_than_allowed(
    start_gateway: StartGateway, upstream: Upstream, limits: dict[str, int]
) -> None:
    gateway = start_gateway(**limits)
    Waiting(upstream)
    clients = []
    for _ in range(10):
        burst = [await Http2.open(gateway.port) for _ in range(LIMIT * 2)]
        for client in burst:
            # The gateway may have closed the connection already.
            with contextlib.suppress(RuntimeError, ConnectionError):
                client.send(request(1))
        clients += burst
    await wait_until_true(lambda: gateway.counters.accepted == len(clients))
    await wait_until_true(lambda: gateway.counters.open == LIMIT)
    await wait_until_true(lambda: len(upstream.received) == LIMIT)


async def test_a_connection_that_still_sends_its_answer_is_not_closed(
    start_gateway: StartGateway, upstream: Upstream
) -> None:
    async def answer(_one: Received, _reader: Reader, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % LARGE + b"x" * LARGE)
        await writer.drain()

    gateway = start_gateway(connections=1, write_seconds=PATIENCE_SECONDS * 10)
    upstream.answer = answer
    slow = await open_narrow(gateway.port, 4096)
    slow.writer.transport.pause_reading()  # type: ignore[attr-defined]
    slow.writer.write(head("GET", "/", {}))
    await wait_until_true(lambda: len(upstream.received) == 1 and gateway.counters.forwarding == 0)
    refused = await (await Wire.open(gateway.port)).answer()
    assert (refused.status, refused.code) == (503, "too_many_connections")
    slow.writer.transport.resume_reading()  # type: ignore[attr-defined]
    answered = await slow.answer()
    assert (answered.status, len(answered.body)) == (200, LARGE)
    assert (await (await Wire.open(gateway.port)).request("GET", "/")).status == 200
