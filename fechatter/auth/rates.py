"""Limits how often something can be tried, with GCRA, the generic cell rate algorithm (ITU-T I.371).

The state is one number per key. A full table drops the keys without recent attempts. If that is not enough, it also
drops the half of the keys with the fewest attempts.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable

import msgspec

from fechatter.errors import TooManyRequests

MAX_KEYS = 65_536


class Limit(msgspec.Struct, frozen=True):
    """Allows `burst` attempts at once, and one more every `every_seconds`."""

    name: str
    burst: int
    every_seconds: float

    def refusal(
        self,
        wait_seconds: float,
        code: str = "too_many_attempts",
        detail: str = "Too many attempts. Wait before you try again.",
    ) -> TooManyRequests:
        """Return the error for an attempt that came `wait_seconds` too early."""
        return TooManyRequests(
            detail,
            code=code,
            retry_after_seconds=max(1, math.ceil(wait_seconds)),
            policy=(self.name, self.burst, math.ceil(self.burst * self.every_seconds)),
        )


class Meter:
    """Counts the attempts of each key against one limit.

    Args:
        clock: returns monotonic seconds.
        max_keys: the maximum number of keys in the table.

    Attributes:
        window: the seconds until an exhausted limit is fully available again.
    """

    def __init__(self, limit: Limit, clock: Callable[[], float] = time.monotonic, max_keys: int = MAX_KEYS) -> None:
        self.limit = limit
        self._clock = clock
        self._max_keys = max_keys
        self._every = limit.every_seconds
        self.window = limit.burst * limit.every_seconds
        self._due: dict[Hashable, float] = {}

    def __len__(self) -> int:
        return len(self._due)

    def take(self, key: Hashable) -> float:
        """Count an attempt and return 0.0, or count nothing and return the seconds until one is allowed."""
        return max(0.0, -self.use(key))

    def use(self, key: Hashable) -> float:
        """Count an attempt.

        Returns:
            The seconds until all counted attempts have expired. An attempt that the limit refuses is not counted. The
            result is then negative: minus the seconds until an attempt is allowed.
        """
        now = self._clock()
        used = self._due.get(key, now) - now
        used = self._every if used < 0 else used + self._every
        if used > self.window:
            return self.window - used
        if key not in self._due and len(self._due) >= self._max_keys:
            self._drop_some(now)
        self._due[key] = now + used
        return used

    def used(self, key: Hashable) -> float:
        """Return the seconds until all counted attempts have expired."""
        return max(0.0, self._due.get(key, 0.0) - self._clock())

    def charge(self, key: Hashable, count: float) -> float:
        """Count `count` attempts, even beyond the limit. Return the seconds until all counted attempts have expired."""
        now = self._clock()
        if key not in self._due and len(self._due) >= self._max_keys:
            self._drop_some(now)
        self._due[key] = max(self._due.get(key, now), now) + count * self._every
        return self._due[key] - now

    def give_back(self, key: Hashable) -> None:
        """Remove one attempt from the count."""
        due = self._due.get(key)
        if due is None:
            return
        if due - self.limit.every_seconds > self._clock():
            self._due[key] = due - self.limit.every_seconds
        else:
            del self._due[key]

    def forget(self, key: Hashable) -> None:
        """Remove all attempts of a key from the count."""
        self._due.pop(key, None)

    def _drop_some(self, now: float) -> None:
        """Drop the keys without attempts and, if the table is still full, the half with the fewest attempts."""
        self._due = {key: due for key, due in self._due.items() if due > now}
        if len(self._due) >= self._max_keys:
            kept = sorted(self._due.items(), key=lambda item: item[1])[self._max_keys // 2 :]
            self._due = dict(kept)
