"""Work is counted per key, and only keys with much work wait."""

from __future__ import annotations

import asyncio

from fechatter.auth.pace import (
    BURST_ROWS,
    CROWDED_SECONDS,
    HEAVY_KEYS_LIMIT,
    KEY_LIMIT,
    MAX_WAIT_SECONDS,
    ROWS_A_SECOND,
    Pace,
)
from fechatter.auth.turns import HEAVY_AT_ONCE, TURNS_PER_KEY, SharedTurns
from tests.auth.clock import Clock
from tests.test_fair import settle


def was_waiting(waiting: asyncio.Task[None]) -> bool:
    waiting.cancel()
    return not waiting.done()


async def has_to_wait(pace: Pace, key: str) -> bool:
    waiting = asyncio.ensure_future(pace.wait(key))
    await settle()
    return was_waiting(waiting)


async def test_only_a_key_beyond_its_burst_waits() -> None:
    clock = Clock()
    pace = Pace(clock=clock)
    pace.charge("heavy", BURST_ROWS)
    assert not await has_to_wait(pace, "heavy")
    pace.charge("heavy", 1_000)
    pace.note("other")
    assert (await has_to_wait(pace, "heavy"), await has_to_wait(pace, "other"), pace.is_heavy("other")) == (
        True,
        False,
        False,
    )
    clock.now += 1_000 * KEY_LIMIT.every_seconds
    pace.note("other")
    assert not await has_to_wait(pace, "heavy")


def test_one_key_gets_an_eighth_of_a_processor_and_all_heavy_keys_a_quarter() -> None:
    assert (ROWS_A_SECOND * KEY_LIMIT.every_seconds, ROWS_A_SECOND * HEAVY_KEYS_LIMIT.every_seconds) == (8, 4)


async def test_without_rate_limits_nobody_waits() -> None:
    pace = Pace(enabled=False)
    pace.charge("heavy", 100 * BURST_ROWS)
    assert not await has_to_wait(pace, "heavy")


async def running(turns: SharedTurns, *keys: str) -> tuple[list[str], list[asyncio.Task[None]]]:
    """Return the keys of the requests that got a turn."""
    order: list[str] = []

    async def request(key: str) -> None:
        heavy = await turns.enter(key)
        try:
            order.append(key)
            await asyncio.Event().wait()
        finally:
            turns.leave(key, heavy=heavy)

    tasks = [asyncio.ensure_future(request(key)) for key in keys]
    await settle()
    return order, tasks


async def test_a_new_key_waits_for_no_heavy_request() -> None:
    pace = Pace(clock=Clock())
    heavy = [f"heavy {number}" for number in range(HEAVY_AT_ONCE + 5)]
    for key in heavy:
        pace.charge(key, BURST_ROWS * 0.6)
    pace.note("newcomer")
    # All heavy keys together are beyond their burst too, so their first requests wait although places are free.
    order, tasks = await running(
        SharedTurns("reads", pace), *[key for key in heavy for _ in range(5)], *["newcomer"] * 5
    )
    assert order == [*heavy[:HEAVY_AT_ONCE], *["newcomer"] * TURNS_PER_KEY]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_heavy_keys_use_everything_while_no_other_key_is_active() -> None:
    clock = Clock()
    pace = Pace(clock=clock)
    pace.note("other")
    for key in ("heavy", "heavy too"):
        pace.charge(key, 10 * BURST_ROWS)
    assert await has_to_wait(pace, "heavy")
    clock.now += CROWDED_SECONDS
    assert not await has_to_wait(pace, "heavy")


def test_a_single_request_never_costs_more_than_a_short_wait() -> None:
    clock = Clock()
    pace = Pace(clock=clock)
    pace.charge("heavy", 1e12)
    clock.now += MAX_WAIT_SECONDS
    assert pace.wait_seconds("heavy") < 1e-6
