"""Threads that read for a loop. Many results reach the loop in one call, because waking it costs as much as a read."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")

_Result = tuple[asyncio.Future[Any], Any, BaseException | None]


class ReaderThreads:
    """Runs functions on a few threads, in the order of the calls. Its methods run on the loop that creates it."""

    def __init__(self, count: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._calls: SimpleQueue[tuple[asyncio.Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._results: deque[_Result] = deque()
        self._is_woken = self._is_stopped = False
        self._threads = [
            threading.Thread(target=self._run, name=f"reader_{place}", daemon=True) for place in range(count)
        ]
        for thread in self._threads:
            thread.start()

    async def call(self, work: Callable[[], T]) -> T:
        """Return the result of `work()`. Raises what it raises, or RuntimeError after `stop`."""
        if self._is_stopped:
            raise RuntimeError("the threads have stopped")
        future: asyncio.Future[T] = self._loop.create_future()
        self._calls.put((future, work))
        return await future

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            future, work = call
            if future.cancelled():
                continue
            try:
                self._return((future, work(), None))
            except BaseException as error:  # noqa: BLE001  # the caller gets it
                self._return((future, None, error))
            # A thread that waits keeps no result alive.
            del call, future, work

    def _return(self, result: _Result) -> None:
        # In this order: `_deliver` marks the wake-up as used before it looks for results.
        self._results.append(result)
        if not self._is_woken:
            self._is_woken = True
            self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._is_woken = False
        while self._results:
            future, result, error = self._results.popleft()
            if future.done():
                continue
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

    def stop(self) -> None:
        """End the threads after the calls that were made so far. Blocks; other threads may call it."""
        self._is_stopped = True
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join()
