"""Reads the heads of the event logs for the gateway's response cache.

If another process commits an event and the bus loses it, this process finds the event only in the log. So the gateway
serves nothing from its cache while the heads that it knows are older than two seconds.
"""

from __future__ import annotations

import asyncio

from fechatter.loops import Loop, LoopState
from fechatter.model import Position
from fechatter.native import ResponseCache
from fechatter.storage import events
from fechatter.storage.engines.base import Database

EVERY_SECONDS = 1.0
MAX_PAUSE_SECONDS = 4.0
TIMEOUT_SECONDS = 2.0


class CacheHeads:
    """Compares the positions of a cache with the logs, once a second."""

    def __init__(self, database: Database, cache: ResponseCache) -> None:
        self._database = database
        self._cache = cache
        self._loop = Loop("response_cache", self._read, EVERY_SECONDS, MAX_PAUSE_SECONDS)

    @property
    def state(self) -> LoopState:
        return self._loop.state

    async def run(self) -> None:
        """Read the heads until the task is cancelled."""
        await self._loop.run()

    async def _read(self) -> None:
        """Raises StorageError, TimeoutError."""
        places = {workspace: Position(era, seq) for workspace, era, seq in self._cache.places()}
        if not places:
            return
        async with asyncio.timeout(TIMEOUT_SECONDS):
            _, found = await self._database.read(lambda tx: events.check_positions(tx, places))
        heads = [(workspace, check.head.era, check.head.seq, check.kept) for workspace, check in found.items()]
        self._cache.note_heads(heads)
