"""The open and the closed loop, against a server that pauses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from fechatter.bench.load import ClosedLoop, OpenLoop
from fechatter.bench.target import LoadTarget, parse_target
from fechatter.bench.timing import Timing, percentile
from fechatter.errors import StartError

REQUEST = b"GET / HTTP/1.1\r\n\r\n"
STILL_SECONDS = 0.4
pytestmark = pytest.mark.anyio


@asynccontextmanager
async def listening(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[LoadTarget]:
    """Listen on a free port, and handle each connection with `serve`. At the end, no handler is left."""
    handlers: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def handle() -> None:
            try:
                await serve(reader, writer)
            finally:
                writer.close()

        handlers.add(asyncio.get_running_loop().create_task(handle()))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield LoadTarget("127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for handler in handlers:
            handler.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)


@asynccontextmanager
async def server_with_a_pause(after: float) -> AsyncIterator[LoadTarget]:
    """A server that answers at once, except during one pause."""
    begins = time.perf_counter() + after

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                if begins <= time.perf_counter() < begins + STILL_SECONDS:
                    await asyncio.sleep(begins + STILL_SECONDS - time.perf_counter())
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        except asyncio.IncompleteReadError:
            writer.close()

    async with listening(serve) as target:
        yield target


async def test_an_open_loop_counts_a_pause_for_every_request_that_was_due_in_it() -> None:
    async with server_with_a_pause(0.3) as target:
        timing = await OpenLoop(target, [lambda _: REQUEST] * 2, 1.0, rate=100, warm_up=0).run()
    assert 99 <= len(timing.latencies) <= 101
    waited = [latency for latency in timing.latencies if latency > 0.05]
    # 100 requests per second for 0.4 s, and those of the last 0.05 s wait less. A closed loop would count two.
    assert len(waited) >= 25
    assert timing.unanswered == timing.refused == 0


async def test_a_closed_loop_sends_less_during_a_pause() -> None:
    async with server_with_a_pause(0.1) as target:
        timing = await ClosedLoop(target, [lambda _: REQUEST] * 2, 0.6, warm_up=0).run()
    assert 2 <= sum(latency > 0.3 for latency in timing.latencies) < len(timing.latencies) / 10
    assert timing.rate * timing.seconds == pytest.approx(len(timing.latencies), rel=0.1)


@asynccontextmanager
async def closing_server(answers: int, idle_seconds: float | None = None) -> AsyncIterator[LoadTarget]:
    """A server that closes each connection after some responses, or when no request arrives for `idle_seconds`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for _ in range(answers):
                await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), idle_seconds)
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        except (asyncio.IncompleteReadError, TimeoutError):
            pass

    async with listening(serve) as target:
        yield target


async def test_an_open_loop_uses_its_connections_in_turn() -> None:
    used: list[int] = []

    def writing(number: int) -> Callable[[float], bytes]:
        return lambda _: used.append(number) or REQUEST  # type: ignore[func-returns-value]

    async with closing_server(1_000) as target:
        await OpenLoop(target, [writing(number) for number in range(4)], 0.5, rate=40, warm_up=0).run()
    rounds = [set(used[start : start + 4]) for start in range(0, len(used) - 4, 4)]
    # One round may differ: a late response changes the order from there on.
    assert sum(round_ == {0, 1, 2, 3} for round_ in rounds) > len(rounds) / 2


async def test_an_open_loop_reopens_idle_connections_that_the_server_closed() -> None:
    async with closing_server(1_000, idle_seconds=0.05) as target:
        timing = await OpenLoop(target, [lambda _: REQUEST] * 8, 1.0, rate=20, warm_up=0).run()
    assert timing.unanswered == timing.refused == 0
    assert len(timing.latencies) in (19, 20, 21)
    assert timing.reopened > 0


async def test_a_closed_loop_continues_after_the_server_closes_a_connection() -> None:
    async with closing_server(3) as target:
        timing = await ClosedLoop(target, [lambda _: REQUEST] * 2, 0.3, warm_up=0).run()
    assert timing.unanswered == timing.refused == 0
    assert timing.reopened > 0


async def test_a_server_that_stops_listening_ends_the_measurement() -> None:
    sent, enough = [], asyncio.Event()

    def write(due: float) -> bytes:
        sent.append(due)
        if len(sent) == 10:
            enough.set()
        return REQUEST

    async with closing_server(1) as target:
        run = asyncio.create_task(ClosedLoop(target, [write] * 2, 60.0, warm_up=0).run())
        await enough.wait()
    with pytest.raises(OSError):
        await run


async def test_a_server_that_closes_every_connection_ends_the_measurement() -> None:
    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(leave, "127.0.0.1", 0)
    target = LoadTarget("127.0.0.1", server.sockets[0].getsockname()[1])
    with pytest.raises(ConnectionError):
        await ClosedLoop(target, [lambda _: REQUEST], 5.0, warm_up=0).run()
    server.close()


async def test_an_overloaded_generator_is_reported() -> None:
    timing = Timing(LoadTarget("127.0.0.1", 1))
    timing.start()
    until = time.perf_counter() + 0.05
    while time.perf_counter() < until:
        pass
    timing.stop()
    timing.late = [0.001] * 98 + [0.5] * 2
    assert timing.limited_by_generator() is not None


async def test_percentiles_are_measured_values() -> None:
    hundred = [float(number) for number in range(1, 101)]
    assert [percentile(hundred, share) for share in (0.5, 0.9, 0.99, 1.0)] == [50, 90, 99, 100]
    assert percentile([7.0], 0.99) == 7


@pytest.mark.parametrize("url", ["http://192.0.2.1:6688", "http://example.com", "https://[2001:db8::1]"])
async def test_load_on_other_machines_requires_a_confirmation(url: str) -> None:
    with pytest.raises(StartError, match="--i-own-this-server"):
        parse_target(url, None, owned=False)
    assert parse_target(url, None, owned=True).host in url


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "127.0.0.1:6688", "http://127.0.0.1:port", "http://127.0.0.1/api"])
async def test_an_invalid_address_is_refused(url: str) -> None:
    with pytest.raises(StartError):
        parse_target(url, None, owned=True)
