"""A fair queue: the tests check orders and counts, not times."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable

import pytest

from fechatter.fair import FairQueue


class Full(Exception):
    """The queue is full."""


class Calls:
    """Calls that run until the test ends them. `order` lists the keys in the order of their starts."""

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
        await settle()


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(10):
        await asyncio.sleep(0)


def queue(*, per_key: int = 1, places: int | None = 1, bound: int = 100) -> FairQueue:
    return FairQueue(per_key=per_key, places=places, bound=bound, refuse=Full)


async def stop(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_newcomer_is_served_before_the_second_call_of_a_heavy_key() -> None:
    calls = Calls(queue())
    tasks = calls.start(*["heavy"] * 20)
    await settle()
    tasks += calls.start("newcomer")
    await settle()
    await calls.end("heavy")
    await calls.end("newcomer")
    assert calls.order == ["heavy", "newcomer", "heavy"]
    await stop(tasks)
    assert len(calls.queue) == 0


async def test_keys_are_served_in_turn() -> None:
    calls = Calls(queue())
    tasks = calls.start(*["a"] * 4, *["b"] * 2, *["c"] * 2)
    await settle()
    for _ in range(7):
        await calls.end(calls.order[-1])
    assert calls.order == ["a", "b", "c", "a", "b", "c", "a", "a"]
    await stop(tasks)


@pytest.mark.parametrize("places", [3, None])
async def test_a_key_never_runs_more_calls_than_its_share(places: int | None) -> None:
    calls = Calls(queue(per_key=2, places=places))
    tasks = calls.start(*["heavy"] * 20)
    await settle()
    assert calls.order == ["heavy"] * 2
    tasks += calls.start("newcomer")
    await settle()
    assert calls.order[-1] == "newcomer"
    await stop(tasks)


async def test_a_full_queue_refuses_the_newest_call_of_the_longest_line() -> None:
    calls = Calls(queue(bound=10))
    heavy = calls.start(*["heavy"] * 10)
    await settle()
    newcomer = calls.start("newcomer")
    await settle()
    assert [isinstance(task.exception(), Full) for task in heavy if task.done()] == [True]
    assert heavy[-1].done()
    more = calls.start("heavy")
    await settle()
    assert isinstance(more[0].exception(), Full)
    assert len(calls.queue) == 10
    await calls.end("heavy")
    assert calls.order == ["heavy", "newcomer"]
    await stop([*heavy, *newcomer])
    assert len(calls.queue) == 0


async def test_a_cancelled_call_leaves_no_place_taken() -> None:
    calls = Calls(queue())
    first, second, third = calls.start("a", "a", "b")
    await settle()
    second.cancel()
    await settle()
    await calls.end("a")
    assert calls.order == ["a", "b"]
    # The call gets its turn and is cancelled at the same moment.
    waiting = calls.start("c", "d")
    await settle()
    third.cancel()
    await asyncio.sleep(0)
    waiting[0].cancel()
    await settle()
    assert calls.order[-1] == "d"
    await stop([first, *waiting])
    assert len(calls.queue) == 0


async def test_a_closing_queue_refuses_all_waiting_calls() -> None:
    calls = Calls(queue())
    running, *waiting = calls.start("a", "a", "b")
    await settle()
    calls.queue.close(Full)
    await settle()
    assert all(isinstance(task.exception(), Full) for task in waiting)
    await calls.end("a")
    await running
    assert len(calls.queue) == 0
