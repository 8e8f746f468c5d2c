"""Receives request bodies: limits their size, their memory and the time that they take.

The send path and every other endpoint use the same reader. A message with a small body needs no timer of its own and no
accounting.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from fechatter.api.sharing import KIB, Share
from fechatter.auth.body_memory import HeldBody, refusal
from fechatter.auth.pace import KIB_ROWS
from fechatter.errors import BodyTimeout, TooLarge

PART_SECONDS = 10.0
"""Maximum time between two parts of a body."""
BODY_SECONDS = 30.0
"""Maximum time for a whole body, without the delays of heavy senders."""
SWEEPS_PER_PART = 4
"""A late body is noticed after at most a further quarter of PART_SECONDS."""

T = TypeVar("T")


class BodyReader:
    """Reads the bodies of one app. One timer serves all of them; it cancels the reads that are late."""

    def __init__(self) -> None:
        self._deadlines: dict[asyncio.Task[object], float] = {}
        self._cancelled: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None
        # `get_running_loop` makes a system call (getpid), too expensive for every message.
        self._loop: asyncio.AbstractEventLoop | None = None

    async def begin(self, receive: Receive) -> tuple[bytes, bool]:
        """Read the first parts of a body, without accounting. Returns them, and whether more follow.

        Raises BodyTimeout, ClientDisconnect.
        """
        message = await self._wait(receive, PART_SECONDS)
        body: bytes = message.get("body", b"")
        if message.get("more_body", False):
            # Granian sends a body in one part, and its end in a second one.
            message = await self._wait(receive, PART_SECONDS)
            body += message.get("body", b"")
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        return body, message.get("more_body", False)

    async def finish(
        self, receive: Receive, limit: int, share: Share | None, held: HeldBody | None, begun: bytes = b""
    ) -> bytes:
        """Read the rest of a body that has `begun`; `held` accounts for its memory, and `share` pays for its size.

        Raises:
            TooLarge, BodyTimeout, ClientDisconnect.
            Unavailable: the memory for bodies is full, and this body was dropped.
        """
        if held is None or share is None:
            return await self._receive_all(receive, limit, bytearray(begun), _free)
        task = asyncio.current_task()
        held.grow(len(begun))
        held.on_drop = lambda: self._cancel(task)
        try:
            return await self._receive_all(receive, limit, bytearray(begun), lambda size: self._pay(size, share, held))
        except BodyTimeout:
            if held.is_dropped:
                raise refusal() from None
            raise
        finally:
            held.on_drop = None

    async def _receive_all(
        self, receive: Receive, limit: int, parts: bytearray, pay: Callable[[int], Awaitable[float]]
    ) -> bytes:
        last = time.monotonic() + BODY_SECONDS
        more = True
        while more:
            message = await self._wait(receive, min(PART_SECONDS, last - time.monotonic()))
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            part: bytes = message.get("body", b"")
            parts += part
            check_size(parts, limit)
            last += await pay(len(part))
            more = message.get("more_body", False)
        return bytes(parts)

    async def _pay(self, size: int, share: Share, held: HeldBody) -> float:
        """Account for a part of a body, and delay heavy senders. Returns the delay in seconds. Raises Unavailable."""
        held.grow(size)
        share.count(size / KIB * KIB_ROWS)
        began = time.monotonic()
        await self._wait(share.wait, math.inf)
        return time.monotonic() - began

    async def _wait(self, action: Callable[[], Awaitable[T]], seconds: float) -> T:
        """Await `action`. Raises BodyTimeout: it took longer than about `seconds`, or `_cancel` was called."""
        loop = self._loop = self._loop or asyncio.get_running_loop()
        task = cast("asyncio.Task[object]", asyncio.current_task(loop))
        self._deadlines[task] = loop.time() + seconds
        if self._timer is None:
            self._timer = loop.call_later(PART_SECONDS, self._sweep, loop)
        try:
            return await action()
        except asyncio.CancelledError:
            if task not in self._cancelled:
                raise
            task.uncancel()
            raise BodyTimeout from None
        finally:
            del self._deadlines[task]
            self._cancelled.discard(task)

    def _cancel(self, task: asyncio.Task[object] | None) -> None:
        if task in self._deadlines and task not in self._cancelled:
            self._cancelled.add(task)
            task.cancel()

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for task, deadline in self._deadlines.items():
            if deadline <= now:
                self._cancel(task)
        self._timer = loop.call_later(PART_SECONDS / SWEEPS_PER_PART, self._sweep, loop) if self._deadlines else None


async def _free(size: int) -> float:
    """Charge nothing for a part."""
    return 0.0


def check_length(value: bytes, limit: int) -> None:
    """Check a Content-Length before the body is read. Raises TooLarge."""
    if value.isdigit() and int(value[:20]) > limit:
        raise _too_large(limit)


def check_size(body: bytes | bytearray, limit: int) -> None:
    """Check the size of a body, or of its parts so far. Raises TooLarge."""
    if len(body) > limit:
        raise _too_large(limit)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"A body may have at most {limit} bytes.", limit_bytes=limit)
