"""Passwords: Argon2id in a pool of its own, so that signing in never holds up the chat.

Two threads hash (19 MiB each, OWASP's least for Argon2id), a bounded number of people wait, everybody else is told to
come again. An unknown person costs the same hash as a known one.
"""

from __future__ import annotations

import asyncio
import os
import sys
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from fechatter.errors import Invalid, Unavailable
from fechatter.queues import Queue

LEAST_CHARACTERS = 8
MOST_CHARACTERS = 256
THREADS = 2
MOST_WAITING = 256
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

T = TypeVar("T")


def check_password(pointer: str, password: str) -> None:
    """Raises Invalid for a new password of a length that is not allowed."""
    if len(password) < LEAST_CHARACTERS:
        raise Invalid.field(pointer, "too_short", f"A password has at least {LEAST_CHARACTERS} characters.")
    if len(password) > MOST_CHARACTERS:
        raise Invalid.field(pointer, "too_long", f"A password has at most {MOST_CHARACTERS} characters.")


class Passwords:
    """Hashes and verifies passwords; `close` ends its threads."""

    def __init__(self, threads: int = THREADS, most_waiting: int = MOST_WAITING) -> None:
        self._hasher = HASHER
        self._pool = ThreadPoolExecutor(threads, "passwords", initializer=_step_back)
        self._most = threads + most_waiting
        self._pending = 0
        self._closed = False
        self._nobodys = self._hasher.hash(os.urandom(16))

    def queues(self) -> list[Queue]:
        return [Queue("passwords", self._most, "calls", "503 `sign_in_busy`", lambda: self._pending)]

    async def hash(self, password: str) -> str:
        """The password's hash, with its parameters and salt. Raises Unavailable when too many wait."""
        return await self._run(lambda: self._hasher.hash(_bytes(password)))

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Is this the password? None stands for nobody: always False, after the same time. Raises Unavailable."""
        if len(password) > MOST_CHARACTERS:
            password, password_hash = "", None
        right = await self._run(lambda: self._is_right(password, password_hash or self._nobodys))
        return right and password_hash is not None

    def _is_right(self, password: str, password_hash: str) -> bool:
        try:
            return self._hasher.verify(password_hash, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._closed:
            raise Unavailable("The server is stopping.", code="stopping")
        if self._pending >= self._most:
            raise Unavailable("Too many people sign in at this moment.", code="sign_in_busy", retry_after_seconds=2)
        self._pending += 1
        future = self._pool.submit(work)
        future.add_done_callback(self._ended_soon(asyncio.get_running_loop()))
        return await asyncio.wrap_future(future)

    def _ended_soon(self, loop: asyncio.AbstractEventLoop) -> Callable[[object], None]:
        """Counts down when the hash is done or was given up before it began, not when its asker leaves."""

        def ended(_: object) -> None:
            try:
                loop.call_soon_threadsafe(self._count_down)
            except RuntimeError:  # the loop has closed: nobody is left to be refused
                self._count_down()

        return ended

    def _count_down(self) -> None:
        self._pending -= 1

    def close(self) -> None:
        """Ends the threads; whoever still waits is cancelled, and whoever comes is refused."""
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)


def _bytes(password: str) -> bytes:
    """The same characters typed on any keyboard give the same bytes."""
    return unicodedata.normalize("NFC", password).encode()


def _step_back() -> None:
    """On Linux niceness is a thread's own: two busy hashes leave the processors to the chat."""
    if sys.platform == "linux":
        os.nice(5)
