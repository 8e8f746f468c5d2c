"""Measures how late the main loop wakes a sleeping task. Every request is delayed by the same time."""

from __future__ import annotations

import asyncio
from collections import deque

from fechatter.telemetry.measures import Histogram

EVERY_SECONDS = 0.5
REMEMBERED = 10
"""Number of measurements for `worst_seconds`."""


class LoopLag:
    """Measures while `run` runs. `seconds` contains all lags since the start."""

    def __init__(self) -> None:
        self.seconds = Histogram()
        self._recent: deque[float] = deque(maxlen=REMEMBERED)

    @property
    def worst_seconds(self) -> float | None:
        """The worst lag of the last five seconds, or None before the first measurement."""
        return max(self._recent, default=None)

    async def run(self) -> None:
        """Measure twice a second, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + EVERY_SECONDS
            await asyncio.sleep(EVERY_SECONDS)
            late = max(0.0, loop.time() - due)
            self.seconds.observe(late)
            self._recent.append(late)
