"""Limits how many writes use a connection of the pool at once, in total and per workspace.

Writes use at most half of the pool, so that reads always find a free connection. Writes to one workspace run one
after the other. They would wait for its lock anyway, and each would occupy a connection that other workspaces need.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from fechatter.queues import WaitingLine
from fechatter.storage.engines.errors import StorageBusy, StorageUnavailable


class WriteSlots:
    """The slots of a pool of `connections` connections. Waiting writes are counted in `line`."""

    def __init__(self, connections: int, timeout_seconds: float, line: WaitingLine) -> None:
        slots = max(1, connections // 2)
        self._slots = asyncio.Semaphore(slots)
        self._of_workspace: WeakValueDictionary[int, asyncio.Semaphore] = WeakValueDictionary()
        self._timeout_seconds = timeout_seconds
        self._line = line

    @asynccontextmanager
    async def slot(self, workspace_id: int | None) -> AsyncIterator[None]:
        """Take a slot for one write: first one of the workspace, then one of the pool.

        Raises:
            StorageBusy: the workspace had no free slot within the timeout.
            StorageUnavailable: the pool had no free slot within the timeout.
        """
        if workspace_id is None:
            async with self._slot():
                yield
            return
        async with self._slot_of(workspace_id), self._slot():
            yield

    @asynccontextmanager
    async def _slot_of(self, workspace_id: int) -> AsyncIterator[None]:
        slots = self._of_workspace.setdefault(workspace_id, asyncio.Semaphore(1))
        try:
            await self._acquire(slots)
        except TimeoutError as error:
            raise StorageBusy("database_busy") from error
        try:
            yield
        finally:
            slots.release()

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        try:
            await self._acquire(self._slots)
        except TimeoutError as error:
            raise StorageUnavailable("no free connection for a write within the timeout") from error
        try:
            yield
        finally:
            self._slots.release()

    async def _acquire(self, slots: asyncio.Semaphore) -> None:
        with self._line:
            async with asyncio.timeout(self._timeout_seconds):
                await slots.acquire()
