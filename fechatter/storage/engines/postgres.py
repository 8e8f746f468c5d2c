"""PostgreSQL: a pool on the main loop for reads and other writes, one connection on the writer's thread for batches.

Every statement has a timeout in the client and in the server. An idle transaction has one in the server, so a node that
hangs while it has a workspace's lock loses the lock.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import asyncpg

from fechatter.loops import LoopState
from fechatter.queues import Queue
from fechatter.storage import eras
from fechatter.storage.engines.base import Publish, Transaction, Work
from fechatter.storage.engines.connections import Connections, reads_line
from fechatter.storage.engines.dialect import for_postgres
from fechatter.storage.engines.errors import StorageUnavailable
from fechatter.storage.engines.high_water import WentBack
from fechatter.storage.engines.postgres_batch import PostgresBatches
from fechatter.storage.engines.postgres_life import LifeChanged, read_life
from fechatter.storage.engines.postgres_link import Connector, Link
from fechatter.storage.engines.postgres_links import ACQUIRE_TIMEOUT_SECONDS, Links
from fechatter.storage.engines.postgres_log import KnownLog
from fechatter.storage.engines.postgres_settings import READ, WRITE
from fechatter.storage.engines.postgres_transaction import PostgresTransaction
from fechatter.storage.engines.retrying import retried
from fechatter.storage.engines.thread import LoopThread
from fechatter.storage.engines.write_slots import WriteSlots
from fechatter.storage.server import TABLES

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    PooledConnection = PoolConnectionProxy[asyncpg.Record]

T = TypeVar("T")

# Without the subquery, PostgreSQL could draw the id before it waits for the lock.
_LOCK = "SELECT nextval('ids') FROM (SELECT FROM workspaces WHERE id = $1 FOR UPDATE) AS locked"
_NOT_WRITABLE = f"""
SELECT name FROM unnest(ARRAY[{", ".join(f"'{table}'" for table in TABLES)}]) AS name
WHERE NOT has_table_privilege(name, 'INSERT') LIMIT 1"""


class PostgresDatabase:
    """See `engines.base.Database`."""

    engine = "PostgreSQL"

    def __init__(self, connector: Connector, pool: asyncpg.Pool[asyncpg.Record], publish: Publish) -> None:
        self._log = KnownLog()
        self.writer = LoopThread("writer")
        self.batches = PostgresBatches(connector, self._log)
        self._high_water = self._log.high_water
        self._connector = connector
        self._links = Links(connector, pool)
        self._publish = publish
        self._line = reads_line()
        self._slots = WriteSlots(pool.get_max_size(), ACQUIRE_TIMEOUT_SECONDS, self._line)

    @property
    def era(self) -> str:
        return self._log.era

    @era.setter
    def era(self, era: str) -> None:
        self._log.era = era

    @classmethod
    async def open(cls, url: str, publish: Publish, *, connections: int) -> PostgresDatabase:
        """Connect. Raises StorageUnavailable."""
        connector = Connector(url)

        async def connect(*_: object, **__: object) -> asyncpg.Connection[asyncpg.Record]:
            return await connector.connect()

        # By default, the pool would reset the settings of each returned connection.
        pool = await asyncpg.create_pool(min_size=1, max_size=connections, connect=connect, reset=_reset_nothing)
        return cls(connector, pool, publish)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Link]:
        with self._line:
            acquired = await self._links.acquire()
            try:
                yield acquired[0]
            finally:
                await self._links.release(acquired)

    async def read(self, work: Work[T]) -> T:
        return await retried(lambda: self._read(work))

    async def _read(self, work: Work[T]) -> T:
        async with self._connection() as connection:
            return await self._snapshot(connection, work)

    async def _snapshot(self, connection: Link, work: Work[T]) -> T:
        try:
            return await self._snapshot_once(connection, work)
        except LifeChanged:
            await self._log.recognise(connection)
        return await self._snapshot_once(connection, work)

    async def _snapshot_once(self, connection: Link, work: Work[T]) -> T:
        async with connection.transaction(READ, self._log.life):
            return await work(PostgresTransaction(connection))

    async def read_row(self, sql: str, *args: object, keys: Sequence[Hashable]) -> asyncpg.Record | None:
        return await retried(lambda: self._read_row(for_postgres(sql), args))

    async def _read_row(self, sql: str, args: Sequence[object]) -> asyncpg.Record | None:
        # Not `_connection`: a context manager would take a tenth of the time.
        with self._line:
            acquired = await self._links.acquire()
            try:
                return await acquired[0].fetch_row_of(self._log.life, sql, args)
            except LifeChanged:
                await self._log.recognise(acquired[0])
                return await acquired[0].fetch_row_of(self._log.life, sql, args)
            finally:
                await self._links.release(acquired)

    async def write(self, workspace_id: int, work: Work[T]) -> T:
        return await retried(lambda: self._write(work, workspace_id))

    async def write_unlocked(self, work: Work[T]) -> T:
        return await retried(lambda: self._write(work, None))

    async def _write(self, work: Work[T], workspace_id: int | None) -> T:
        async with self._slots.slot(workspace_id), self._connection() as connection:
            try:
                return await self._write_once(connection, work, workspace_id)
            except LifeChanged:
                await self._log.recognise(connection)
            except WentBack as error:
                await self._log.begin_after(connection, error)
            return await self._write_once(connection, work, workspace_id)

    async def _write_once(self, connection: Link, work: Work[T], workspace_id: int | None) -> T:
        transaction = PostgresTransaction(connection, self._high_water)
        async with connection.transaction(WRITE, self._log.life):
            if workspace_id is not None:
                transaction.spare_id = await connection.fetchval(_LOCK, workspace_id)
            result = await work(transaction)
        self._high_water.rise(transaction.reserved)
        if transaction.frames or transaction.signals:
            self._publish(transaction.frames, transaction.signals)
        return result

    async def read_on_writer(self, work: Work[T]) -> T:
        async def attempt() -> T:
            return await self._snapshot(await self.batches.connection(), work)

        return await retried(attempt)

    async def read_statement_on_writer(self, work: Work[T]) -> T:
        """The batch that uses the result checks the database's life."""

        async def attempt() -> T:
            connection = await self.batches.connection()
            async with connection.statement():
                return await work(PostgresTransaction(connection))

        return await retried(attempt)

    async def begin_era(self, after: str) -> str:
        self.era = await self.write_unlocked(lambda tx: eras.begin_after(tx, after))
        self._high_water.forget()
        return self.era

    async def system_id(self) -> str:
        async with self._connection() as connection:
            life = self._log.life = await read_life(connection)
        return str(life)

    def queues(self) -> list[Queue]:
        return [self._line.queue, *self.writer.queues()]

    def watch_files(self, on_lost: Callable[[Exception], None]) -> None:
        """Do nothing: PostgreSQL guards its own files."""

    def lost(self) -> str | None:
        return None

    def loops(self) -> list[LoopState]:
        """Return no loops: PostgreSQL needs none here."""
        return []

    async def check_writable(self) -> None:
        if refused := await self.write_unlocked(_refused_writing):
            raise StorageUnavailable(refused)

    def connections(self) -> Connections:
        size, idle = self._links.counts()
        return Connections(size - idle, idle, max(0, self._line.queue.depth() - (size - idle)))

    async def close(self) -> None:
        await self.writer.call(self.batches.close)
        await self.writer.stop()
        await self._links.close()


async def _refused_writing(tx: Transaction) -> str:
    """Return why PostgreSQL cannot store anything, or "" if it can."""
    row = await tx.fetchrow("SELECT current_setting('transaction_read_only') = 'on'")
    if row is None or row[0]:
        return "PostgreSQL is read-only"
    row = await tx.fetchrow(_NOT_WRITABLE)
    return "" if row is None else f"the role cannot write to the table {row[0]}"


async def _reset_nothing(_: object) -> None:
    """Do nothing; see `PostgresDatabase.open`."""
