"""The connections that reads and most writes use: a pool, and in front of it the connections that were used just now.

The driver's pool creates a task for each connection that it takes back, which costs as much as a short query.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, cast

import asyncpg

from fechatter.storage.engines.errors import StorageUnavailable
from fechatter.storage.engines.postgres_link import Connector, Link
from fechatter.telemetry.faults import describe_error

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    PooledConnection = PoolConnectionProxy[asyncpg.Record]

log = logging.getLogger(__name__)

CLOSE_TIMEOUT_SECONDS = 5
ACQUIRE_TIMEOUT_SECONDS = 10
MAX_KEPT = 4
"""More unused connections go back to the pool, which closes connections that stay idle."""
KEPT_SECONDS = 60.0
"""After this time, a connection goes back to the pool, which also limits the life of a connection."""


class Links:
    """Runs on the main loop.

    Args:
        pool: opens connections with `connector`, and resets nothing.
    """

    def __init__(self, connector: Connector, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self._connector = connector
        self._pool = pool
        self._kept: list[tuple[Link, float]] = []
        """Unused connections, with the time when they left the pool."""
        self._waiting = 0

    async def acquire(self) -> tuple[Link, float]:
        """Return a connection, for `release`. Raises StorageUnavailable."""
        while self._kept:
            kept = self._kept.pop()
            if not kept[0].closed:
                return kept
            await self._return(kept[0])
        self._waiting += 1
        try:
            # The pool's own timeout would create one more task.
            async with asyncio.timeout(ACQUIRE_TIMEOUT_SECONDS):
                return self._connector.over(await self._pool.acquire()), time.monotonic()
        except StorageUnavailable:
            raise
        except Exception as error:
            raise StorageUnavailable(describe_error(error)) from error
        finally:
            self._waiting -= 1

    async def release(self, acquired: tuple[Link, float]) -> None:
        """Take a connection back. A connection goes to the pool if somebody waits there."""
        link, since = acquired
        is_old = time.monotonic() - since > KEPT_SECONDS
        if self._waiting or is_old or len(self._kept) >= MAX_KEPT or link.closed:
            await self._return(link)
        else:
            self._kept.append(acquired)

    async def _return(self, link: Link) -> None:
        try:
            await self._pool.release(cast("PooledConnection", link.driver))
        except Exception as error:
            # The transaction has ended, and the pool has dropped the connection.
            log.warning("the pool dropped a connection that could not be reset", exc_info=error)

    def counts(self) -> tuple[int, int]:
        """Return the number of connections, and how many of them are unused."""
        return self._pool.get_size(), self._pool.get_idle_size() + len(self._kept)

    async def close(self) -> None:
        """Close all connections, by force if necessary."""
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                while self._kept:
                    await self._return(self._kept.pop()[0])
                await self._pool.close()
        except Exception as error:
            log.debug("the connection pool did not close cleanly", exc_info=error)
            self._pool.terminate()
