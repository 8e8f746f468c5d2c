"""Background loops survive errors of the database, disk and network, and end only because of a bug."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from fechatter.loops import MAX_PAUSE_SECONDS, Loop, LoopState, PartlyFailed, take_turns
from fechatter.storage.engines.errors import RowRefused, StorageFull, StorageUnavailable, UniqueViolation

OUTSIDE_ERRORS = [
    StorageUnavailable("gone"),
    StorageFull("full"),
    RowRefused("bad"),
    UniqueViolation("twice"),
    TimeoutError(),
    ConnectionResetError(),
    OSError(28, "No space left on device"),
]


class FailingSteps:
    """Raises the given errors first, then succeeds."""

    def __init__(self, *failures: Exception) -> None:
        self.made = 0
        self._failures = list(failures)

    async def __call__(self) -> None:
        self.made += 1
        if self._failures:
            raise self._failures.pop(0)


@pytest.mark.parametrize("error", OUTSIDE_ERRORS, ids=repr)
async def test_a_loop_survives_an_outside_error_and_reports_it(error: Exception) -> None:
    loop = Loop("sweeping", FailingSteps(error), 3600.0)
    assert await loop.once() <= 1.0
    assert loop.state.reason.startswith(type(error).__name__)
    assert (loop.state.failures, loop.state.runs) == (1, 0)
    assert await loop.once() == 3600.0
    assert (loop.state.reason, loop.state.failures, loop.state.runs) == ("", 1, 1)


async def test_pauses_grow_up_to_a_limit_and_differ_between_nodes() -> None:
    state = LoopState("sweeping")
    pauses = []
    for _ in range(60):
        state.failed(StorageUnavailable("gone"))
        pauses.append(state.pause_seconds(0.2))
    assert 0.5 <= pauses[0] <= 1.0
    assert all(MAX_PAUSE_SECONDS / 2 <= pause <= MAX_PAUSE_SECONDS for pause in pauses[5:])
    assert len(set(pauses[5:])) > 10
    state.succeeded()
    assert state.pause_seconds(0.2) == 0.2


async def test_a_step_that_fails_in_part_is_reported_and_retried_more_and_more_rarely() -> None:
    loop = Loop("sweeping", FailingSteps(*[PartlyFailed("1 failed")] * 30), 3600.0)
    pauses = [await loop.once() for _ in range(30)]
    assert loop.state.reason == "PartlyFailed: 1 failed"
    assert pauses[0] <= 1.0
    assert all(MAX_PAUSE_SECONDS < pause <= 3600.0 for pause in pauses[10:])
    assert await loop.once() == 3600.0
    assert loop.state.reason == ""


async def test_since_is_the_time_of_the_first_failure_and_then_of_the_recovery() -> None:
    state = LoopState("sweeping")
    began = state.since_ms
    state.failed(StorageUnavailable("gone"))
    failing = state.since_ms
    await asyncio.sleep(0.002)
    state.failed(StorageUnavailable("still gone"))
    assert began <= failing == state.since_ms
    state.succeeded()
    assert state.since_ms > failing


@pytest.mark.parametrize("fault", [KeyError("a"), TypeError(), ValueError(), asyncpg.PostgresSyntaxError()])
async def test_a_bug_ends_a_loop(fault: Exception) -> None:
    with pytest.raises(type(fault)):
        await Loop("sweeping", FailingSteps(fault), 0.0).run()


async def test_a_failing_loop_does_not_delay_other_loops() -> None:
    failing, working = FailingSteps(*[StorageFull("full")] * 1000), FailingSteps()
    loops = [Loop("failing", failing, 0.0), Loop("working", working, 0.0)]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(take_turns(loops, 0.0), 0.7)
    assert failing.made == loops[0].state.failures
    assert 1 <= failing.made < working.made
