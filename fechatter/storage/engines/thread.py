"""A thread with its own event loop. The writer uses it, so that batches never wait for the main loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import uvloop

from fechatter.queues import Queue, WaitingLine

T = TypeVar("T")

MAX_WAITING_CALLS = 1024


class CallsFull(Exception):
    """MAX_WAITING_CALLS calls are already waiting or running; this call was not made."""


class LoopThread:
    """A named thread that runs one event loop until `stop`."""

    def __init__(self, name: str) -> None:
        self.loop = uvloop.new_event_loop()
        self._calls = WaitingLine("writer_calls", MAX_WAITING_CALLS, "calls", "503 `writer_full`", CallsFull)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
        self.loop.close()

    async def call(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run `work()` on the thread's loop, in the order of the calls, and await its result on the caller's loop.

        Raises:
            CallsFull: MAX_WAITING_CALLS calls are already waiting or running.
        """
        with self._calls:
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(), self.loop))

    def queues(self) -> list[Queue]:
        return [self._calls.queue]

    def run_soon(self, callback: Callable[[], Any]) -> None:
        """Call `callback` on the thread's loop, from any thread."""
        self.loop.call_soon_threadsafe(callback)

    async def stop(self) -> None:
        """Stop the loop after its current callbacks, and join the thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join, 5)


def run_inline(work: Awaitable[T]) -> T:
    """Run a coroutine that never suspends, such as storage work on SQLite, without an event loop."""
    coroutine = work.__await__()
    try:
        next(coroutine)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]  # StopIteration.value is untyped
    raise RuntimeError("work inside a transaction awaited something other than the transaction")
