"""How often something may be tried: GCRA, the generic cell rate algorithm (ITU-T I.371), one number for each key.

A key that tries no more costs nothing after a while; a table that is full forgets first who has the least to wait.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable

import msgspec

from fechatter.errors import TooManyRequests

MOST_KEYS = 65_536


class Limit(msgspec.Struct, frozen=True):
    """`burst` tries at once, and one more every `every_seconds`."""

    name: str
    burst: int
    every_seconds: float

    def refusal(
        self, wait_seconds: float, code: str = "too_many_attempts", detail: str = "Too many attempts; wait a little."
    ) -> TooManyRequests:
        """The answer to a try that came `wait_seconds` too early."""
        return TooManyRequests(
            detail,
            code=code,
            retry_after_seconds=max(1, math.ceil(wait_seconds)),
            policy=(self.name, self.burst, math.ceil(self.burst * self.every_seconds)),
        )


class Meter:
    """Counts the tries of each key against one limit.

    Args:
        limit: what is allowed.
        clock: seconds that only grow.
        most_keys: how many keys are remembered.

    Attributes:
        window: the seconds after which an exhausted limit is fully available again.
    """

    def __init__(self, limit: Limit, clock: Callable[[], float] = time.monotonic, most_keys: int = MOST_KEYS) -> None:
        self.limit = limit
        self._clock = clock
        self._most_keys = most_keys
        self._every = limit.every_seconds
        self.window = limit.burst * limit.every_seconds
        self._due: dict[Hashable, float] = {}

    def __len__(self) -> int:
        return len(self._due)

    def take(self, key: Hashable) -> float:
        """Count a try. Returns 0.0, or the seconds until there is one; then nothing is counted."""
        return max(0.0, -self.use(key))

    def use(self, key: Hashable) -> float:
        """Count a try. Returns the seconds until none is counted any more, or those until there is one with a minus before them; then
        nothing is counted."""
        now = self._clock()
        used = self._due.get(key, now) - now
        used = self._every if used < 0 else used + self._every
        if used > self.window:
            return self.window - used
        if key not in self._due and len(self._due) >= self._most_keys:
            self._make_room(now)
        self._due[key] = now + used
        return used

    def used(self, key: Hashable) -> float:
        """The seconds until all counted tries have expired."""
        return max(0.0, self._due.get(key, 0.0) - self._clock())

    def charge(self, key: Hashable, count: float) -> float:
        """Count `count` tries of a key that was let pass, beyond the limit too: then it waits the longer. Returns like `use`."""
        now = self._clock()
        if key not in self._due and len(self._due) >= self._most_keys:
            self._make_room(now)
        self._due[key] = max(self._due.get(key, now), now) + count * self._every
        return self._due[key] - now

    def give_back(self, key: Hashable) -> None:
        """Uncount a try that was a good one."""
        due = self._due.get(key)
        if due is None:
            return
        if due - self.limit.every_seconds > self._clock():
            self._due[key] = due - self.limit.every_seconds
        else:
            del self._due[key]

    def forget(self, key: Hashable) -> None:
        """Uncount all tries of a key."""
        self._due.pop(key, None)

    def _make_room(self, now: float) -> None:
        """Drop who waits for nothing; when that leaves the table full, the half that tried least."""
        self._due = {key: due for key, due in self._due.items() if due > now}
        if len(self._due) >= self._most_keys:
            kept = sorted(self._due.items(), key=lambda item: item[1])[self._most_keys // 2 :]
            self._due = dict(kept)
