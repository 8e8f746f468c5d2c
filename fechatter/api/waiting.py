"""Ends the wait of a request whose client has left. One timer watches all waits of an app."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar, cast

from starlette.requests import ClientDisconnect, Request

from fechatter.tasks import Tasks

T = TypeVar("T")

WATCHED_AFTER_SECONDS = 0.1
"""Shorter waits are not watched, because a task for each of them would cost more than the wait."""


class _Wait:
    """A request that waits. The first sweep after the wait began sets `is_old`; the second one starts `watch`."""

    __slots__ = ("has_left", "is_old", "request", "watch")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.is_old = self.has_left = False
        self.watch: asyncio.Task[None] | None = None


class WaitingClients:
    """The requests of one app that wait for a turn."""

    def __init__(self) -> None:
        self._waits: dict[asyncio.Task[object], _Wait] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def wait(self, request: Request, action: Awaitable[T]) -> T:
        """Await `action` while the client is connected; the body must have been read. Raises ClientDisconnect."""
        loop = asyncio.get_running_loop()
        task = cast("asyncio.Task[object]", asyncio.current_task(loop))
        wait = self._waits[task] = _Wait(request)
        if self._timer is None:
            self._timer = loop.call_later(WATCHED_AFTER_SECONDS, self._sweep, loop)
        try:
            return await action
        except asyncio.CancelledError:
            if not wait.has_left:
                raise
            task.uncancel()
            raise ClientDisconnect from None
        finally:
            del self._waits[task]
            if wait.watch is not None:
                wait.watch.cancel()

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        for task, wait in self._waits.items():
            if wait.is_old and wait.watch is None:
                tasks: Tasks = wait.request.scope["app"].services.tasks
                wait.watch = tasks.start("watch a waiting client", self._watch(task, wait))
            wait.is_old = True
        self._timer = loop.call_later(WATCHED_AFTER_SECONDS, self._sweep, loop) if self._waits else None

    async def _watch(self, task: asyncio.Task[object], wait: _Wait) -> None:
        while (await wait.request.receive())["type"] != "http.disconnect":
            pass
        if task in self._waits:
            wait.has_left = True
            task.cancel()
