"""Owns every background task: a task that dies stops the process.

Only `Tasks.start` creates asyncio tasks that nothing awaits. A lint bans `asyncio.create_task` elsewhere.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

log = logging.getLogger(__name__)


class Tasks:
    """Named background tasks of one event loop.

    Args:
        on_death: called with the name and the exception of a failed task; the server stops the process.
    """

    def __init__(self, on_death: Callable[[str, BaseException], None]) -> None:
        self._on_death = on_death
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, name: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run `work` until it ends, is cancelled, or dies."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def names(self) -> list[str]:
        """Return the name of each running task."""
        return [task.get_name() for task in self._running]

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            log.critical("task %s died", task.get_name(), exc_info=error)
            self._on_death(task.get_name(), error)

    async def stop(self) -> None:
        """Cancel the running tasks and wait until they have ended."""
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
