"""The meter and the headers of a quota in plain Python: reference of the property tests and baseline of the benches."""

import math
from collections.abc import Callable, Hashable

WINDOW_SECONDS = 60
ROUNDING = 1e-3

Header = tuple[bytes, bytes]


class Meter:
    """Counts the attempts of each key against one limit."""

    def __init__(self, burst: int, every_seconds: float, max_keys: int, clock: Callable[[], float]) -> None:
        self.window = burst * every_seconds
        self._every = every_seconds
        self._max_keys = max_keys
        self._clock = clock
        self._due: dict[Hashable, float] = {}

    def __len__(self) -> int:
        return len(self._due)

    def use(self, key: Hashable) -> float:
        """Return the seconds until all attempts have expired, or minus the seconds until one is allowed."""
        now = self._clock()
        used = max(0.0, self._due.get(key, now) - now) + self._every
        if used > self.window:
            return self.window - used
        self._put(key, now + used, now)
        return used

    def take(self, key: Hashable) -> float:
        return max(0.0, -self.use(key))

    def used(self, key: Hashable) -> float:
        return max(0.0, self._due.get(key, 0.0) - self._clock())

    def charge(self, key: Hashable, count: float) -> float:
        now = self._clock()
        self._put(key, max(self._due.get(key, now), now) + count * self._every, now)
        return self._due[key] - now

    def give_back(self, key: Hashable) -> None:
        due = self._due.get(key)
        if due is None:
            return
        if due - self._every > self._clock():
            self._due[key] = due - self._every
        else:
            del self._due[key]

    def forget(self, key: Hashable) -> None:
        self._due.pop(key, None)

    def _put(self, key: Hashable, due: float, now: float) -> None:
        if key not in self._due and len(self._due) >= self._max_keys:
            self._due = {key: due for key, due in self._due.items() if due > now}
            if len(self._due) >= self._max_keys:
                self._due = dict(sorted(self._due.items(), key=lambda item: item[1])[self._max_keys // 2 :])
        self._due[key] = due


class Quota:
    """A number of requests per minute for each key."""

    def __init__(self, name: str, per_minute: int, clock: Callable[[], float]) -> None:
        self._meter = Meter(per_minute, WINDOW_SECONDS / per_minute, 65_536, clock)
        self._name = name
        self._per_minute = per_minute
        self._policy = (b"ratelimit-policy", f'"{name}";q={per_minute};w={WINDOW_SECONDS}'.encode())

    def take(self, key: Hashable) -> tuple[Header, ...] | int:
        used = self._meter.use(key)
        return max(1, math.ceil(-used)) if used < 0 else self._headers(used)

    def charge(self, key: Hashable, count: float) -> tuple[Header, ...]:
        return self._headers(self._meter.charge(key, count))

    def _headers(self, used: float) -> tuple[Header, ...]:
        left = max(0, int(self._per_minute - used * (self._per_minute / WINDOW_SECONDS) + ROUNDING))
        return self._policy, (b"ratelimit", f'"{self._name}";r={left};t={int(used) + 1}'.encode())
