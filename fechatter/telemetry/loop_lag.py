"""How late the main loop wakes who slept: what every request waits besides its own work."""

from __future__ import annotations

import asyncio
from collections import deque

from fechatter.telemetry.measures import Histogram

EVERY_SECONDS = 0.5
REMEMBERED = 10


class LoopLag:
    """Measures while `run` runs."""

    def __init__(self) -> None:
        self.seconds = Histogram()
        self._recent: deque[float] = deque([0.0], REMEMBERED)

    @property
    def worst_seconds(self) -> float:
        """The worst of the last five seconds."""
        return max(self._recent)

    async def run(self) -> None:
        """For ever."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + EVERY_SECONDS
            await asyncio.sleep(EVERY_SECONDS)
            late = max(0.0, loop.time() - due)
            self.seconds.observe(late)
            self._recent.append(late)
