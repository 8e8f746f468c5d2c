"""Limits how fast the server works for one key: a person, or the address of a client that is not signed in.

Work is counted in *rows*: the cost of reading and returning one row, about 5 µs of one processor. A key can use a burst
at once, and then an eighth of one processor. Its further requests are delayed but not refused, and only while lighter
keys are active. Keys that have used more than half of their burst are *heavy*; together they get a quarter of a
processor. Heavy keys are charged by time if that is more, because a row takes longer on a slow or busy machine.

The counts are in this process's memory: each node counts on its own, and a restart resets the counts.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

from fechatter.auth.rates import Key, Limit, Meter

ROWS_A_SECOND = 200_000
"""The rows that equal one second of one processor."""
REQUEST_ROWS = 100
"""The cost of every request, in addition to its reads."""
KIB_ROWS = 1.0
"""The cost of 1 KiB of a request or response body."""
CHANGE_ROWS = 1_000
"""The cost of a change in addition to the rows that it reads: messages of its workspace wait for its lock."""
SENT_ROWS = 4
"""The cost of storing one message of a batch."""
SEARCH_ROWS = 1_000
"""The cost of a search in addition to the rows that it finds."""

BURST_ROWS = 20_000
MAX_WAIT_SECONDS = 2.0
"""The longest wait of a key for its next turn, whatever its last request cost."""
CROWDED_SECONDS = 1.0
"""After each request of a lighter key, that key counts as active for this time, because more requests may follow."""
POLL_SECONDS = 0.1
KEY_LIMIT = Limit("work", BURST_ROWS, 8 / ROWS_A_SECOND)
HEAVY_KEYS_LIMIT = Limit("heavy-work", BURST_ROWS, 4 / ROWS_A_SECOND)
_ALL = "all heavy keys"


class Pace:
    """Counts work and delays heavy keys. Runs on the main loop.

    Args:
        enabled: False delays nobody.
        clock: returns monotonic seconds; by default the clock of the system.
    """

    def __init__(self, *, enabled: bool = True, clock: Callable[[], float] | None = None) -> None:
        self._enabled = enabled
        self._clock = clock or time.monotonic
        self._light_until = -1.0
        self._each_key = Meter(KEY_LIMIT, clock)
        self._heavy_keys = Meter(HEAVY_KEYS_LIMIT, clock)

    def __len__(self) -> int:
        return len(self._each_key)

    @property
    def meter(self) -> Meter | None:
        """The work of each key, shared with the gateway; None if nobody is delayed."""
        return self._each_key if self._enabled else None

    def charge(self, key: Key, rows: float) -> None:
        """Charge finished work to the key."""
        if not self._enabled:
            return
        used = self._each_key.used(key)
        if used > self._each_key.window / 2:
            _charge(self._heavy_keys, HEAVY_KEYS_LIMIT, _ALL, rows, self._heavy_keys.used(_ALL))
        else:
            self._light_until = self._clock() + CROWDED_SECONDS
        _charge(self._each_key, KEY_LIMIT, key, rows, used)

    def note(self, key: Key) -> None:
        """Record that the key is active, without a charge."""
        if not self.is_heavy(key):
            self._light_until = self._clock() + CROWDED_SECONDS

    def note_first(self, keys: Iterable[Key]) -> None:
        """Record that the first of `keys` that is not heavy is active."""
        if any(not self.is_heavy(key) for key in keys):
            self._light_until = self._clock() + CROWDED_SECONDS

    def must_wait(self, key: Key) -> bool:
        """Whether the key must wait now, because it is heavy and lighter keys are active."""
        return self.is_heavy(key) and self._clock() < self._light_until

    def is_heavy(self, key: Key) -> bool:
        """Whether the key has used more than half of its burst."""
        return self._each_key.is_half_used(key)

    def wait_seconds(self, key: Key) -> float:
        """Return the seconds until the key is within its burst again."""
        return max(0.0, self._each_key.used(key) - self._each_key.window)

    async def wait(self, key: Key) -> None:
        """Wait until the key is within its burst again, or no lighter key is active."""
        while self.must_wait(key) and (seconds := self.wait_seconds(key)):  # noqa: ASYNC110
            await asyncio.sleep(min(seconds, POLL_SECONDS))

    async def wait_with_heavy(self, key: Key) -> None:
        """Wait until all heavy keys together are within their burst again, or no lighter key is active."""
        heavy = self._heavy_keys
        while self.must_wait(key) and (seconds := heavy.used(_ALL) - heavy.window) > 0:  # noqa: ASYNC110
            await asyncio.sleep(min(seconds, POLL_SECONDS))


def _charge(meter: Meter, limit: Limit, key: Key, rows: float, used: float) -> None:
    room_seconds = meter.window + MAX_WAIT_SECONDS - used
    meter.charge(key, max(0.0, min(rows, room_seconds / limit.every_seconds)))
