"""Measures how late the main loop wakes a sleeping task. Every request waits as long too."""

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
        self._recent: deque[float] = deque(maxlen=REMEMBERED)

    @property
    def worst_seconds(self) -> float | None:
        """The worst lag of the last five seconds, or None before the first measurement."""
        return max(self._recent, default=None)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + EVERY_SECONDS
            await asyncio.sleep(EVERY_SECONDS)
            late = max(0.0, loop.time() - due)
            self.seconds.observe(late)
            self._recent.append(late)
