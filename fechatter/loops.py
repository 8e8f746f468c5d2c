"""Background loops that run as long as the process: they survive every database, disk and network error.

`/health` and the metrics report the state of each loop. Only a bug in this program ends a loop, and with it the process
(`tasks.py`).
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable

from fechatter.errors import StorageError
from fechatter.model import now_ms
from fechatter.telemetry.faults import describe_error

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 1.0
MAX_PAUSE_SECONDS = 30.0
SURVIVED = (StorageError, OSError)
"""Errors after which a step is retried. TimeoutError is an OSError."""


class PartlyFailed(Exception):
    """A step did its work except for some workspaces or rows. Retries become as rare as the step itself, because such a
    failure often lasts, and a retry repeats the whole step."""


class LoopState:
    """The state of one loop; plain values, so that any thread may change or read it.

    Attributes:
        name: its name in health and metrics.
        runs: successful steps since the start.
        failures: failed steps since the start.
        reason: why the last step failed; "" if it succeeded.
        since_ms: when the state last changed between working and failing.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.runs = 0
        self.failures = 0
        self.reason = ""
        self.since_ms = now_ms()
        self._failures_in_a_row = 0

    @property
    def has_run(self) -> bool:
        """Whether at least one step has ended, so that the loop is known to work or to fail."""
        return self.runs + self.failures > 0

    def succeeded(self) -> None:
        self.runs += 1
        if self.reason:
            log.info("%s works again after %d failures", self.name, self._failures_in_a_row)
            self.reason, self.since_ms, self._failures_in_a_row = "", now_ms(), 0

    def failed(self, error: BaseException) -> None:
        reason = describe_error(error)
        # A warning only if the reason is new; the metrics count every failure.
        level = logging.DEBUG if reason == self.reason else logging.WARNING
        log.log(level, "%s failed and will be retried: %s", self.name, reason)
        if not self.reason:
            self.since_ms = now_ms()
        self.failures += 1
        self._failures_in_a_row += 1
        self.reason = reason

    def pause_seconds(self, every_seconds: float, max_pause_seconds: float = MAX_PAUSE_SECONDS) -> float:
        """Return the seconds until the next step; each failure in a row doubles the pause, up to
        `max_pause_seconds`."""
        if not self._failures_in_a_row:
            return every_seconds
        # Random, so that nodes that lost the same database do not all come back to it at once.
        backed_off = FIRST_PAUSE_SECONDS * 2.0 ** min(self._failures_in_a_row - 1, 10)
        return min(backed_off, max_pause_seconds) * random.uniform(0.5, 1.0)


class Loop:
    """Repeats one step without end.

    Args:
        every_seconds: the pause after a successful step.
        max_pause_seconds: the longest pause after a failed step.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], Awaitable[object]],
        every_seconds: float,
        max_pause_seconds: float = MAX_PAUSE_SECONDS,
    ) -> None:
        self.state = LoopState(name)
        self._step = step
        self._every_seconds = every_seconds
        self._max_pause_seconds = max_pause_seconds

    async def once(self) -> float:
        """Run one step; return the seconds to wait before the next one."""
        try:
            await self._step()
        except PartlyFailed as error:
            self.state.failed(error)
            return self.state.pause_seconds(self._every_seconds, max(self._every_seconds, self._max_pause_seconds))
        except SURVIVED as error:
            self.state.failed(error)
        else:
            self.state.succeeded()
        return self.state.pause_seconds(self._every_seconds, self._max_pause_seconds)

    async def run(self) -> None:
        pause = self._every_seconds
        while True:
            await asyncio.sleep(pause)
            pause = await self.once()


async def take_turns(loops: list[Loop], first_after_seconds: float) -> None:
    """Run several loops without end, one step at a time; the first step starts after `first_after_seconds`.

    A failing loop does not delay the others.
    """
    due = dict.fromkeys(loops, time.monotonic() + first_after_seconds)
    while True:
        loop = min(due, key=lambda each: due[each])
        await asyncio.sleep(max(0.0, due[loop] - time.monotonic()))
        due[loop] = await loop.once() + time.monotonic()
