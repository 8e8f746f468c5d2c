"""A gateway that stops answers everything that it accepted."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import pytest

from fechatter.native import Gateway
from tests.gateway.conftest import RunningGateway
from tests.gateway.test_limits import Waiting
from tests.gateway.upstream import Upstream
from tests.journeys.senders import wait_until_true
from tests.journeys.wire import Wire, head
from tests.servers.process import PATIENCE_SECONDS


async def ended(gateway: RunningGateway, seconds: float = PATIENCE_SECONDS) -> bool:
    return await asyncio.to_thread(gateway.gateway.wait_idle, seconds)


async def test_requests_in_progress_are_answered_and_then_their_connections_end(
    gateway: RunningGateway, upstream: Upstream
) -> None:
    waiting, wires = Waiting(upstream), [await Wire.open(gateway.port) for _ in range(10)]
    for wire in wires:
        wire.writer.write(head("GET", "/", {}))
    await wait_until_true(lambda: len(upstream.received) == 10)
    gateway.stop_accepting()
    assert not await ended(gateway, 0.1)
    waiting.allowed.set()
    answers = [await wire.answer() for wire in wires]
    assert {(answer.status, answer.headers["connection"]) for answer in answers} == {(200, "close")}
    assert await ended(gateway)


async def test_quiet_connections_end_at_once(gateway: RunningGateway) -> None:
    idle, silent = await Wire.open(gateway.port), await Wire.open(gateway.port)
    assert (await idle.request("GET", "/")).status == 200
    await wait_until_true(lambda: gateway.counters.open == 2)
    gateway.stop_accepting()
    assert await idle.reader.read() == b""
    assert await silent.reader.read() == b""
    assert await ended(gateway)
    with pytest.raises(ConnectionRefusedError):
        await Wire.open(gateway.port)


async def test_every_request_that_was_sent_before_the_stop_is_answered(gateway: RunningGateway) -> None:
    """The connections may still wait to be accepted."""
    with contextlib.ExitStack() as opened:
        sockets = [
            opened.enter_context(socket.create_connection(("127.0.0.1", gateway.port), PATIENCE_SECONDS))
            for _ in range(200)
        ]
        for one in sockets:
            one.sendall(head("GET", "/", {}))
        gateway.stop_accepting()
        answers = [await asyncio.to_thread(one.recv, 1000) for one in sockets]
        assert {answer[:15] for answer in answers} == {b"HTTP/1.1 200 OK"}
        assert await ended(gateway)


async def test_half_a_head_does_not_delay_a_hard_stop(gateway: RunningGateway) -> None:
    half = await Wire.open(gateway.port)
    half.writer.write(b"GET / HT")
    await wait_until_true(lambda: gateway.counters.open == 1)
    gateway.stop_accepting()
    assert not await ended(gateway, 0.2)
    await gateway.stop()
    assert await half.reader.read() == b""


async def test_a_gateway_starts_once(gateway: RunningGateway) -> None:
    with pytest.raises(OSError, match="started before"):
        gateway.gateway.start([])


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (b"[]", "invalid length"),
        (b'{"upstreams": []}', "upstreams is empty"),
        (b'{"upstreams": ["a"]}', "not an upstream"),
        (b'{"upstreams": ["unix:/a"], "trusted_proxies": ["a"]}', "not a network"),
        (b'{"upstreams": ["unix:/a"], "limits": {"head_seconds": -1}}', "negative"),
    ],
)
async def test_an_unusable_configuration_is_refused(config: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Gateway(config)
