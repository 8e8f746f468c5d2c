"""The databases of a walk's nodes, opened once for many walks: one on SQLite, two for the same PostgreSQL server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fechatter.frames import Frame, Signal
from fechatter.storage.engines.base import Database
from fechatter.storage.opening import open_database
from tests.engines import CONNECTIONS
from tests.hub.check import check
from tests.hub.node import Node
from tests.hub.walk import Walk
from tests.servers.process import PATIENCE_SECONDS

WALK_SECONDS = PATIENCE_SECONDS


class Publishing:
    """Forwards a database's publications to the node that uses it now."""

    def __init__(self) -> None:
        self.node: Node | None = None

    def __call__(self, frames: list[Frame], signals: list[Signal]) -> None:
        if self.node is not None:
            self.node.take_published(frames, signals)


class Server:
    def __init__(self, databases: list[Database], publishing: list[Publishing]) -> None:
        self._databases, self._publishing = databases, publishing
        self.nodes = len(databases)

    @classmethod
    async def open(cls, address: str) -> Server:
        publishing = [Publishing() for _ in range(2 if address.startswith("postgres") else 1)]
        return cls([await open_database(address, each, connections=CONNECTIONS) for each in publishing], publishing)

    async def close(self) -> None:
        for database in self._databases:
            await database.close()

    @asynccontextmanager
    async def walk(self) -> AsyncIterator[Walk]:
        """Begin a walk. At the end it settles and is checked. Raises Violation, TimeoutError."""
        walk = Walk(self._databases)
        for publishing, node in zip(self._publishing, walk.nodes, strict=True):
            publishing.node = node
        try:
            async with asyncio.timeout(WALK_SECONDS):
                await walk.begin()
                yield walk
                await walk.settle()
                await check(walk)
        finally:
            await walk.close()
