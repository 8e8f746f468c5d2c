"""Limits how many calls run at once, and shares the places fairly among keys.

A key is a person, or the address of a client that is not signed in.

Each key has its own line, and lines are served in turn. A new key therefore waits for at most one call of each other
key, however many calls the others have queued. When the queue is full, the newest call of the longest line is refused,
so no key can block the others.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager


class FairQueue:
    """`async with queue.turn(key):` waits for a place. Runs on one event loop.

    Args:
        per_key: how many calls of one key run at once.
        places: how many calls run at once; None for no limit beyond `per_key`.
        bound: how many calls run or wait.
        refuse: creates the error for a call that is refused because the queue is full.
    """

    def __init__(self, *, per_key: int, places: int | None, bound: int, refuse: Callable[[], Exception]) -> None:
        self._per_key = per_key
        self._places = bound if places is None else places
        self._bound = bound
        self._refuse = refuse
        self._running: Counter[Hashable] = Counter()
        self._busy = self._waiting = 0
        self._lines: dict[Hashable, deque[asyncio.Future[None]]] = {}
        self._ready: dict[Hashable, None] = {}
        """The lines that wait only for a place, in the order of service."""

    def __len__(self) -> int:
        """How many calls run or wait."""
        return self._busy + self._waiting

    def is_free(self, key: Hashable) -> bool:
        """Whether a call of the key gets a place immediately."""
        return key not in self._lines and self._busy < self._places and self._running[key] < self._per_key

    @asynccontextmanager
    async def turn(self, key: Hashable) -> AsyncIterator[None]:
        """Hold a place during the block. Raises the error that `refuse` creates."""
        await self.enter(key)
        try:
            yield
        finally:
            self.leave(key)

    async def enter(self, key: Hashable) -> None:
        """Wait for a place; `leave` returns it. Raises the error that `refuse` creates."""
        if len(self) >= self._bound:
            self._refuse_newest(key)
        if self.is_free(key):
            self.start(key)
            return
        waiting = asyncio.get_running_loop().create_future()
        self._lines.setdefault(key, deque()).append(waiting)
        self._waiting += 1
        if self._running[key] < self._per_key:
            self._ready.setdefault(key)
        try:
            await waiting
        except asyncio.CancelledError:
            if waiting.cancelled():
                self._remove(key, waiting)  # unless `leave` was faster
            elif waiting.exception() is None:
                self.leave(key)
            raise

    def leave(self, key: Hashable) -> None:
        """Return a place, and start a call of the next line."""
        self._busy -= 1
        self._running[key] -= 1
        if not self._running[key]:
            del self._running[key]
        if key in self._lines:
            self._ready.setdefault(key)
        while self._ready and self._busy < self._places:
            self._serve(next(iter(self._ready)))

    def close(self, error: Callable[[], Exception]) -> None:
        """Refuse all calls that wait."""
        for key, line in list(self._lines.items()):
            for waiting in list(line):
                self._remove(key, waiting)
                if not waiting.done():
                    waiting.set_exception(error())

    def start(self, key: Hashable) -> None:
        """Take a free place; `leave` returns it."""
        self._busy += 1
        self._running[key] += 1

    def _serve(self, key: Hashable) -> None:
        """Start the oldest call of a line, and move the line behind the others."""
        waiting = self._lines[key][0]
        self._remove(key, waiting)
        self._ready.pop(key, None)
        if not waiting.done():  # its task may have been cancelled and not have run since
            self.start(key)
            waiting.set_result(None)
        if key in self._lines and self._running[key] < self._per_key:
            self._ready[key] = None

    def _remove(self, key: Hashable, waiting: asyncio.Future[None]) -> None:
        line = self._lines.get(key)
        if line is None or waiting not in line:
            return
        line.remove(waiting)
        self._waiting -= 1
        if not line:
            del self._lines[key]
            self._ready.pop(key, None)

    def _refuse_newest(self, key: Hashable) -> None:
        """Refuse the newest call of the longest line. Raises the error of `refuse` if that is the call of `key`."""
        longest = max(self._lines, key=lambda other: len(self._lines[other]), default=key)
        if longest == key or len(self._lines[longest]) <= len(self._lines.get(key, ())) + 1:
            raise self._refuse()
        newest = self._lines[longest][-1]
        self._remove(longest, newest)
        if not newest.done():
            newest.set_exception(self._refuse())
