"""Background loops that run as long as the process does: they survive every database, disk and network error.

`/health` and the metrics report each loop's state. Only a bug in this program ends a loop, and with it the process
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
from fechatter.telemetry.faults import told

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 1.0
MOST_PAUSE_SECONDS = 30.0
SURVIVED = (StorageError, OSError)
"""What a step may fail with, and be tried again. TimeoutError is an OSError."""


class LoopState:
    """The state of one loop; plain values, so that any thread may change or read it.

    Attributes:
        name: its name in health and metrics.
        runs: successful steps since the start.
        failures: failed steps since the start.
        reason: why the last step failed; "" if it succeeded.
        since_ms: when the state last changed between good and failing.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.runs = 0
        self.failures = 0
        self.reason = ""
        self.since_ms = now_ms()
        self._in_a_row = 0

    def succeeded(self) -> None:
        self.runs += 1
        if self.reason:
            log.info("%s works again, after %d failures", self.name, self._in_a_row)
            self.reason, self.since_ms, self._in_a_row = "", now_ms(), 0

    def failed(self, error: BaseException) -> None:
        reason = told(error)
        # The same reason again is no news; the metrics count it.
        level = logging.DEBUG if reason == self.reason else logging.WARNING
        log.log(level, "%s failed and is tried again: %s", self.name, reason)
        if not self.reason:
            self.since_ms = now_ms()
        self.failures += 1
        self._in_a_row += 1
        self.reason = reason

    def pause_seconds(self, every_seconds: float, most_seconds: float = MOST_PAUSE_SECONDS) -> float:
        """Return the seconds until the next step; each failure doubles them, up to `most_seconds`."""
        if not self._in_a_row:
            return every_seconds
        # Nodes that lost one database together do not come back to it together.
        backed_off = FIRST_PAUSE_SECONDS * 2.0 ** min(self._in_a_row - 1, 10)
        return min(backed_off, most_seconds) * random.uniform(0.5, 1.0)


class Loop:
    """Repeats one step for ever.

    Args:
        every_seconds: the pause after a step that succeeded.
        most_seconds: the longest pause after one that failed.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], Awaitable[object]],
        every_seconds: float,
        most_seconds: float = MOST_PAUSE_SECONDS,
    ) -> None:
        self.state = LoopState(name)
        self._step = step
        self._every_seconds = every_seconds
        self._most_seconds = most_seconds

    async def once(self) -> float:
        """Make one step; returns how many seconds to wait until the next."""
        try:
            await self._step()
        except SURVIVED as error:
            self.state.failed(error)
        else:
            self.state.succeeded()
        return self.state.pause_seconds(self._every_seconds, self._most_seconds)

    async def run(self) -> None:
        """For ever."""
        pause = self._every_seconds
        while True:
            await asyncio.sleep(pause)
            pause = await self.once()


async def take_turns(loops: list[Loop], first_after_seconds: float) -> None:
    """Run several loops for ever, one step at a time; a failing loop does not delay the others."""
    due = dict.fromkeys(loops, time.monotonic() + first_after_seconds)
    while True:
        loop = min(due, key=lambda one: due[one])
        await asyncio.sleep(max(0.0, due[loop] - time.monotonic()))
        due[loop] = await loop.once() + time.monotonic()
