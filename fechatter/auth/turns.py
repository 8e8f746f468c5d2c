"""Limits concurrent requests. `auth/quotas.py` has one instance for reads and one for changes.

In each, a person runs at most four requests at once, and all heavy users together run at most two.

A person whom `pace.py` does not slow down waits only for their own requests. Heavy users wait in a fair queue that
leaves most database connections free. A new user therefore never waits for heavy requests.
"""

from __future__ import annotations

from fechatter.auth.pace import Pace
from fechatter.auth.rates import Key
from fechatter.errors import Unavailable
from fechatter.fair import FairQueue
from fechatter.queues import Queue

TURNS_PER_KEY = 4
"""A browser sends up to six requests at once, but each is short."""
HEAVY_AT_ONCE = 2
MAX_WAITING = 4_096


class SharedTurns:
    """The turns of requests of one kind.

    Args:
        name: the name of its queue.
        enabled: False delays nobody.
    """

    def __init__(self, name: str, pace: Pace, *, enabled: bool = True) -> None:
        self._pace = pace
        self._enabled = enabled
        self._all = FairQueue(per_key=TURNS_PER_KEY, places=None, bound=MAX_WAITING, refuse=_busy)
        self._heavy = FairQueue(per_key=1, places=HEAVY_AT_ONCE, bound=MAX_WAITING, refuse=_busy)
        self.queue = Queue(name, MAX_WAITING, "requests", "503 `database_busy`", lambda: len(self._all))

    def is_free(self, key: Key) -> bool:
        """Whether a request of the key gets its turn immediately."""
        return not self._enabled or (self._all.is_free(key) and not self._pace.must_wait(key))

    def enter_if_free(self, key: Key) -> bool:
        """Begin a turn if it needs no waiting, and return whether it began; `leave` ends it."""
        free = self.is_free(key)
        if free and self._enabled:
            self._all.start(key)
        return free

    async def enter(self, key: Key) -> bool:
        """Wait for a turn; `leave` ends it. Returns whether the key is heavy. Raises Unavailable: too many wait."""
        await self._all.enter(key)
        if not self._pace.must_wait(key):
            return False
        try:
            await self._enter_heavy(key)
        except BaseException:
            self._all.leave(key)
            raise
        return True

    async def _enter_heavy(self, key: Key) -> None:
        await self._pace.wait(key)
        await self._heavy.enter(key)
        try:
            await self._pace.wait_with_heavy(key)
        except BaseException:
            self._heavy.leave(key)
            raise

    def leave(self, key: Key, *, heavy: bool = False) -> None:
        """End a turn. `heavy` is the result of `enter`."""
        if heavy:
            self._heavy.leave(key)
        if self._enabled:
            self._all.leave(key)


def _busy() -> Unavailable:
    return Unavailable("Too many requests wait for the database.", code="database_busy")
