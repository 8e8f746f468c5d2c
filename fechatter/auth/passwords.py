"""Hashes passwords with Argon2id on separate threads, so that sign-ins never delay the chat.

Two threads hash (19 MiB each, OWASP's minimum for Argon2id). A bounded number of calls wait, and further calls are
refused with `Retry-After`. An unknown person costs the same hash as a known person.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from fechatter.auth.pace import ROWS_A_SECOND, Pace
from fechatter.auth.rates import Key
from fechatter.errors import Invalid, Unavailable
from fechatter.fair import FairQueue
from fechatter.queues import Queue

MIN_CHARACTERS = 8
MAX_CHARACTERS = 256
THREADS = 2
MAX_WAITING = 256
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

T = TypeVar("T")


def check_password(pointer: str, password: str) -> None:
    """Raises Invalid: a new password is too short or too long."""
    if len(password) < MIN_CHARACTERS:
        raise Invalid.field(pointer, "too_short", f"A password has at least {MIN_CHARACTERS} characters.")
    if len(password) > MAX_CHARACTERS:
        raise Invalid.field(pointer, "too_long", f"A password has at most {MAX_CHARACTERS} characters.")


class Passwords:
    """Hashes and verifies passwords; `close` ends its threads.

    `who` is the person or the client's network that sends the request. For each `who`, one hash runs at a time, at the
    pace of `pace.py`. All share the threads fairly.
    """

    def __init__(self, threads: int = THREADS, max_waiting: int = MAX_WAITING, pace: Pace | None = None) -> None:
        self._hasher = HASHER
        self._pool = ThreadPoolExecutor(threads, "passwords", initializer=_lower_priority)
        self._most = threads + max_waiting
        # An idle pace is empty, and therefore false.
        self._pace = Pace(enabled=False) if pace is None else pace
        self._waiting = FairQueue(per_key=1, places=None, bound=self._most, refuse=_busy)
        self._threads = FairQueue(per_key=1, places=threads, bound=self._most, refuse=_busy)
        self._closed = False
        self._random_hash = self._hasher.hash(os.urandom(16))

    def queues(self) -> list[Queue]:
        return [Queue("passwords", self._most, "calls", "503 `sign_in_busy`", lambda: len(self._waiting))]

    async def hash(self, password: str, who: Key = "") -> str:
        """Return the password's hash with its parameters and salt. Raises Unavailable: too many calls wait."""
        return await self._run(who, lambda: self._hasher.hash(_bytes(password)))

    async def verify(self, password: str, password_hash: str | None, who: Key = "") -> bool:
        """Return whether this is the password. Without a hash, return False after the same time. Raises Unavailable."""
        if len(password) > MAX_CHARACTERS:
            password, password_hash = "", None
        right = await self._run(who, lambda: self._is_right(password, password_hash or self._random_hash))
        return right and password_hash is not None

    def _is_right(self, password: str, password_hash: str) -> bool:
        try:
            return self._hasher.verify(password_hash, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, who: Key, work: Callable[[], T]) -> T:
        if self._closed:
            raise _stopping()
        async with self._waiting.turn(who):
            await self._pace.wait(who)
            return await self._on_thread(who, work)

    async def _on_thread(self, who: Key, work: Callable[[], T]) -> T:
        await self._threads.enter(who)
        if self._closed:
            raise _stopping()
        future = self._pool.submit(_timed, work)
        future.add_done_callback(self._thread_freer(asyncio.get_running_loop(), who))
        result, seconds = await asyncio.wrap_future(future)
        self._pace.charge(who, seconds * ROWS_A_SECOND)
        return result

    def _thread_freer(self, loop: asyncio.AbstractEventLoop, who: Key) -> Callable[[object], None]:
        """Return a callback that frees the thread when the hash is done.

        Until then the thread is busy, even if the caller was cancelled.
        """

        def ended(_: object) -> None:
            # RuntimeError: the loop is closed, so nothing waits.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._threads.leave, who)

        return ended

    def close(self) -> None:
        """Stop the threads, and refuse all waiting and later calls."""
        self._closed = True
        self._waiting.close(_stopping)
        self._threads.close(_stopping)
        self._pool.shutdown(wait=False, cancel_futures=True)


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    """Return the result and its processor time in seconds."""
    began = time.thread_time()
    return work(), time.thread_time() - began


def _busy() -> Unavailable:
    return Unavailable("Too many people are signing in at the moment.", code="sign_in_busy", retry_after_seconds=2)


def _stopping() -> Unavailable:
    return Unavailable("The server is stopping.", code="stopping")


def _bytes(password: str) -> bytes:
    """Return the same bytes for the same characters, whatever keyboard they were typed on."""
    return unicodedata.normalize("NFC", password).encode()


def _lower_priority() -> None:
    """Let two busy hashes leave the processors to the chat. On Linux each thread has its own niceness."""
    if sys.platform == "linux":
        os.nice(19)
