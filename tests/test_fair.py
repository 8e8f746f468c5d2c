"""A queue that is shared fairly: orders and counts, no times."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable

import pytest

from fechatter.fair import FairQueue


class Full(Exception):
    """The queue is full."""


class Calls:
    """Calls that run until they are ended; `order` has the keys in the order in which they started."""

    def __init__(self, queue: FairQueue) -> None:
        self.queue = queue
        self.order: list[Hashable] = []
        self._ends: dict[Hashable, list[asyncio.Event]] = {}

    def start(self, *keys: Hashable) -> list[asyncio.Task[None]]:
        return [asyncio.ensure_future(self._call(key)) for key in keys]

    async def _call(self, key: Hashable) -> None:
        async with self.queue.turn(key):
            end = asyncio.Event()
            self.order.append(key)
            self._ends.setdefault(key, []).append(end)
            await end.wait()

    async def end(self, key: Hashable) -> None:
        """End the oldest running call of a key."""
        self._ends[key].pop(0).set()
        await settled()


async def settled() -> None:
    """Every task has done what it can do now."""
    for _ in range(10):
        await asyncio.sleep(0)


def queue(*, of_one: int = 1, places: int | None = 1, bound: int = 100) -> FairQueue:
    return FairQueue(of_one=of_one, places=places, bound=bound, refuse=Full)


async def stop(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_newcomer_is_served_before_the_second_call_of_a_heavy_key() -> None:
    calls = Calls(queue())
    tasks = calls.start(*["heavy"] * 20)
    await settled()
    tasks += calls.start("newcomer")
    await settled()
    await calls.end("heavy")
    await calls.end("newcomer")
    assert calls.order == ["heavy", "newcomer", "heavy"]
    await stop(tasks)
    assert len(calls.queue) == 0


async def test_lines_are_served_in_turn() -> None:
    calls = Calls(queue())
    tasks = calls.start(*["a"] * 4, *["b"] * 2, *["c"] * 2)
    await settled()
    for _ in range(7):
        await calls.end(calls.order[-1])
    assert calls.order == ["a", "b", "c", "a", "b", "c", "a", "a"]
    await stop(tasks)


@pytest.mark.parametrize("places", [3, None])
async def test_one_key_never_runs_more_than_its_share(places: int | None) -> None:
    calls = Calls(queue(of_one=2, places=places))
    tasks = calls.start(*["heavy"] * 20)
    await settled()
    assert calls.order == ["heavy"] * 2
    tasks += calls.start("newcomer")
    await settled()
    assert calls.order[-1] == "newcomer"
    await stop(tasks)


async def test_a_full_queue_refuses_the_newest_call_of_the_longest_line() -> None:
    calls = Calls(queue(bound=10))
    heavy = calls.start(*["heavy"] * 10)
    await settled()
    newcomer = calls.start("newcomer")
    await settled()
    assert [isinstance(task.exception(), Full) for task in heavy if task.done()] == [True]
    assert heavy[-1].done()
    more = calls.start("heavy")
    await settled()
    assert isinstance(more[0].exception(), Full)
    assert len(calls.queue) == 10
    await calls.end("heavy")
    assert calls.order == ["heavy", "newcomer"]
    await stop([*heavy, *newcomer])
    assert len(calls.queue) == 0


async def test_a_call_that_is_cancelled_leaves_no_place_taken() -> None:
    calls = Calls(queue())
    first, second, third = calls.start("a", "a", "b")
    await settled()
    second.cancel()
    await settled()
    await calls.end("a")
    assert calls.order == ["a", "b"]
    # Its turn and its end come at the same moment.
    waiting = calls.start("c", "d")
    await settled()
    third.cancel()
    await asyncio.sleep(0)
    waiting[0].cancel()
    await settled()
    assert calls.order[-1] == "d"
    await stop([first, *waiting])
    assert len(calls.queue) == 0


async def test_a_queue_that_closes_refuses_all_that_wait() -> None:
    calls = Calls(queue())
    running, *waiting = calls.start("a", "a", "b")
    await settled()
    calls.queue.close(Full)
    await settled()
    assert all(isinstance(task.exception(), Full) for task in waiting)
    await calls.end("a")
    await running
    assert len(calls.queue) == 0
