"""How much may be asked of the server: by a person once signed in, by a client's address before that.

Unlike the limits of guessing (`limits.py`) these count whatever comes of it, and are so wide that no person and no well-meant program meets
them. Every answer that was counted tells in its headers how much is left (draft-ietf-httpapi-ratelimit-headers, as since -08).

In this process's memory: each node counts for itself, and a restart forgets.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

from fechatter.auth.body_memory import BodyMemory
from fechatter.auth.pace import Pace
from fechatter.auth.rates import MOST_KEYS, Limit, Meter
from fechatter.auth.turns import SharedTurns
from fechatter.errors import TooManyRequests
from fechatter.queues import Queue
from fechatter.settings import Settings

WINDOW_SECONDS = 60
ROUNDING = 1e-3
MOST_BODY_BYTES = 192 << 20
"""Of all request bodies that are held at once."""
MOST_BATCHES_OF_ONE = 4

Header = tuple[bytes, bytes]


class Quota:
    """So many a minute for each key: all at once, or one after the other.

    Args:
        name: what its headers call it.
        enabled: False counts nothing.
    """

    def __init__(self, name: str, per_minute: int, *, enabled: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        limit = Limit(name, per_minute, WINDOW_SECONDS / per_minute)
        self._meter = Meter(limit, clock)
        self._enabled = enabled
        self._per_minute = per_minute
        self._a_second = per_minute / WINDOW_SECONDS
        self._policy = (b"ratelimit-policy", f'"{name}";q={per_minute};w={WINDOW_SECONDS}'.encode())
        self._left = f'"{name}";r=%d;t=%d'.encode()

    def take(self, key: Hashable) -> tuple[Header, ...]:
        """Count one; returns the headers that tell of it. Raises TooManyRequests."""
        if not self._enabled:
            return ()
        used_seconds = self._meter.use(key)
        if used_seconds < 0:
            raise self._meter.limit.refusal(-used_seconds, code="rate_limited", detail="Too many requests; wait a little.")
        return self._headers(used_seconds)

    def charge(self, key: Hashable, count: int) -> tuple[Header, ...]:
        """Count more of what was let pass already; what goes beyond the quota is waited for the next time."""
        return self._headers(self._meter.charge(key, count)) if self._enabled else ()

    def _headers(self, used_seconds: float) -> tuple[Header, ...]:
        left = max(0, int(self._per_minute - used_seconds * self._a_second + ROUNDING))
        return self._policy, (b"ratelimit", self._left % (left, int(used_seconds) + 1))

    def __len__(self) -> int:
        return len(self._meter)


class AtOnce:
    """So much at the same time for each key."""

    def __init__(self, most: int, *, enabled: bool = True) -> None:
        self._most = most
        self._enabled = enabled
        self._running: Counter[Hashable] = Counter()

    @contextmanager
    def one(self, key: Hashable) -> Iterator[None]:
        """Raises TooManyRequests `too_many_at_once`."""
        if self._enabled and self._running[key] >= self._most:
            raise TooManyRequests("Too much at the same time; wait for answers.", code="too_many_at_once")
        self._running[key] += 1
        try:
            yield
        finally:
            self._running[key] -= 1
            if not self._running[key]:
                del self._running[key]


class Quotas:
    """
    Attributes:
        messages: sent by a person, each one of a batch.
        requests: of a person, but for sends of one message.
        strangers: requests of a client's address to what answers strangers.
        strangers_at_once: of a client's address.
        batches_at_once: of a person.
        bodies: the memory of all request bodies.
        pace: how fast the server works for a person or a client's address.
        reads, changes: turns of people's requests. Changes that wait for a lock do not hold up reads.
    """

    def __init__(self, settings: Settings) -> None:
        on = settings.rate_limits
        self.messages = Quota("messages", settings.messages_per_minute, enabled=on)
        self.requests = Quota("requests", settings.requests_per_minute, enabled=on)
        self.strangers = Quota("strangers", settings.stranger_requests_per_minute, enabled=on)
        self.strangers_at_once = AtOnce(settings.stranger_requests_at_once, enabled=on)
        self.batches_at_once = AtOnce(MOST_BATCHES_OF_ONE, enabled=on)
        self.bodies = BodyMemory(MOST_BODY_BYTES)
        self.pace = Pace(enabled=on)
        self.reads = SharedTurns("reads", self.pace, enabled=on)
        self.changes = SharedTurns("changes", self.pace, enabled=on)

    def queues(self) -> list[Queue]:
        return [
            self.reads.queue,
            self.changes.queue,
            Queue("bodies", MOST_BODY_BYTES, "bytes", "503 `batches_full` for the heaviest sender", lambda: self.bodies.bytes_held),
            Queue("quotas", MOST_KEYS, "keys", "who asked least is forgotten", self._most_keys),
        ]

    def _most_keys(self) -> int:
        return max(len(self.messages), len(self.requests), len(self.strangers), len(self.pace))
