"""PostgreSQL: a pool on the main loop for reads and other writes, one connection on the writer's thread for batches.

Every statement has a time limit, on both sides: a node that is stopped while it holds a workspace's lock loses it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg

from fechatter.frames import Frame, Signal
from fechatter.model import now_ms
from fechatter.queues import Queue
from fechatter.storage.engines import postgres_batch
from fechatter.storage.engines.base import (
    Connections,
    MessageRows,
    Publish,
    StorageBusy,
    StorageFull,
    StorageUnavailable,
    StoreResult,
    UniqueViolation,
    Work,
    reads_line,
)
from fechatter.storage.engines.dialect import for_postgres, postgres_parameter
from fechatter.storage.engines.thread import LoopThread
from fechatter.storage.engines.turns import Crowded, Turn, Turns
from fechatter.telemetry.faults import told

T = TypeVar("T")

STATEMENT_TIMEOUT_SECONDS = 10
CONNECT_TIMEOUT_SECONDS = 5
ACQUIRE_TIMEOUT_SECONDS = 10
BATCH_LOCK_TIMEOUT = "2000"
"""Milliseconds a batch waits for one workspace's lock: the other workspaces' messages wait behind it."""
SERVER_SETTINGS = {
    "application_name": "fechatter",
    "statement_timeout": str(STATEMENT_TIMEOUT_SECONDS * 1000),
    "lock_timeout": "5000",
    "idle_in_transaction_session_timeout": "10000",
    "synchronous_commit": "on",
    "timezone": "UTC",
    # Every statement names its rows by key; planning for each new parameter value costs more than it finds.
    "plan_cache_mode": "force_generic_plan",
}
CONNECT_OPTIONS: dict[str, Any] = {
    "timeout": CONNECT_TIMEOUT_SECONDS,
    "command_timeout": STATEMENT_TIMEOUT_SECONDS,
    "server_settings": SERVER_SETTINGS,
    "statement_cache_size": 512,
}

_LOCK = "SELECT event_seq FROM workspaces WHERE id = $1 FOR UPDATE"
_SYSTEM_ID = """
SELECT (SELECT system_identifier::text FROM pg_control_system()) || '/' || (SELECT timeline_id::text FROM pg_control_checkpoint())"""
_AFFECTED = re.compile(r"(\d+)$")


def translate(error: BaseException) -> Exception:
    """The engine-neutral error for asyncpg's and the socket's."""
    if isinstance(error, asyncpg.UniqueViolationError):
        return UniqueViolation(error.constraint_name or str(error))
    if isinstance(error, asyncpg.DiskFullError):
        return StorageFull("the database's disk is full")
    unavailable = (
        asyncpg.PostgresConnectionError,
        asyncpg.InterfaceError,
        asyncpg.QueryCanceledError,
        asyncpg.LockNotAvailableError,
        asyncpg.OperatorInterventionError,
        asyncpg.InsufficientResourcesError,
        asyncpg.TransactionRollbackError,
        asyncpg.IdleInTransactionSessionTimeoutError,
        OSError,
        TimeoutError,
    )
    if isinstance(error, unavailable):
        return StorageUnavailable(told(error))
    return error if isinstance(error, Exception) else StorageUnavailable(repr(error))


class PostgresTransaction:
    """The Transaction of one connection."""

    def __init__(self, connection: Any, epoch: str, turn: Turn | None = None) -> None:
        self.connection = connection
        self._turn = turn
        self.epoch = epoch
        self.frames: list[Frame] = []
        self.signals: list[Signal] = []
        self.now = now_ms()

    async def fetch(self, sql: str, *args: object) -> Sequence[Any]:
        try:
            rows: Sequence[Any] = await self.connection.fetch(for_postgres(sql), *map(postgres_parameter, args))
        except asyncpg.UniqueViolationError as error:
            raise translate(error) from error
        return rows

    async def fetchrow(self, sql: str, *args: object) -> Any:
        rows = await self.fetch(sql, *args)
        return rows[0] if rows else None

    async def execute(self, sql: str, *args: object) -> int:
        try:
            status = await self.connection.execute(for_postgres(sql), *map(postgres_parameter, args))
        except asyncpg.UniqueViolationError as error:
            raise translate(error) from error
        affected = _AFFECTED.search(status)
        return int(affected.group(1)) if affected else 0

    async def lock_workspace(self, workspace_id: int) -> None:
        if self._turn is not None:
            await self._turn.take(workspace_id)
        await self.connection.fetchval(_LOCK, workspace_id)

    async def new_id(self) -> int:
        return int(await self.connection.fetchval("SELECT nextval('ids')"))


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Raise the engine-neutral error for whatever the database or the socket raised."""
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise translate(error) from error


class PostgresDatabase:
    """See `engines.base.Database`."""

    engine = "PostgreSQL"

    def __init__(self, url: str, pool: Any, publish: Publish, epoch: str = "") -> None:
        self.url = url
        self.epoch = epoch
        self.writer = LoopThread("writer")
        self._pool = pool
        self._publish = publish
        self._batches: Any = None
        self._line = reads_line()
        writes = max(1, pool.get_max_size() // 2)
        self._writes = asyncio.Semaphore(writes)
        self._turns = Turns(max(1, writes // 2))

    @classmethod
    async def open(cls, url: str, publish: Publish, *, connections: int) -> PostgresDatabase:
        """Connect. Raises StorageUnavailable when the database cannot be reached."""
        async with translated():
            pool = await asyncpg.create_pool(url, min_size=1, max_size=connections, **CONNECT_OPTIONS)
        return cls(url, pool, publish)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        with self._line:
            async with translated(), self._pool.acquire(timeout=ACQUIRE_TIMEOUT_SECONDS) as connection:
                yield connection

    async def read(self, work: Work[T]) -> T:
        async with self._connection() as connection:
            return await self._snapshot(connection, work)

    async def _snapshot(self, connection: Any, work: Work[T]) -> T:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return await work(PostgresTransaction(connection, self.epoch))

    @asynccontextmanager
    async def _turn_to_write(self) -> AsyncIterator[None]:
        """Half of the connections may write at once: those who wait for a workspace's lock leave the others to who reads."""
        with self._line:
            async with translated(), asyncio.timeout(ACQUIRE_TIMEOUT_SECONDS):
                await self._writes.acquire()
        try:
            yield
        finally:
            self._writes.release()

    async def write(self, work: Work[T]) -> T:
        with self._turns.turn() as turn:
            try:
                return await self._change(work, turn)
            except Crowded as crowded:
                await self._wait(turn, crowded)
            return await self._change(work, turn)

    async def _wait(self, turn: Turn, crowded: Crowded) -> None:
        with self._line:
            try:
                async with asyncio.timeout(ACQUIRE_TIMEOUT_SECONDS):
                    await turn.wait(crowded.turns)
            except TimeoutError:
                raise StorageBusy("database_busy") from crowded

    async def _change(self, work: Work[T], turn: Turn) -> T:
        async with self._turn_to_write(), self._connection() as connection:
            transaction = PostgresTransaction(connection, self.epoch, turn)
            async with connection.transaction():
                result = await work(transaction)
        if transaction.frames or transaction.signals:
            self._publish(transaction.frames, transaction.signals)
        return result

    async def read_on_writer(self, work: Work[T]) -> T:
        async with translated():
            return await self._snapshot(await self._batch_connection(), work)

    async def store(self, rows: MessageRows, decided_with: Mapping[int, int], now: int) -> StoreResult:
        """One statement a workspace; workspaces one after the other, in id order."""
        result = StoreResult([], set(), {})
        for workspace_id in sorted(set(rows.workspace_ids)):
            try:
                connection = await self._batch_connection()
                stored = await postgres_batch.store(connection, rows, workspace_id, decided_with[workspace_id], now)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
                result.failed[workspace_id] = translate(error)
                continue
            if stored is None:
                result.stale.add(workspace_id)
            else:
                result.stored.append(stored)
        return result

    async def _batch_connection(self) -> Any:
        """The writer's connection, made anew when it was lost. Runs on the writer's loop."""
        if self._batches is None or self._batches.is_closed():
            settings = {**SERVER_SETTINGS, "lock_timeout": BATCH_LOCK_TIMEOUT}
            self._batches = await asyncpg.connect(self.url, **{**CONNECT_OPTIONS, "server_settings": settings})
        return self._batches

    async def system_id(self) -> str:
        async with self._connection() as connection:
            return str(await connection.fetchval(_SYSTEM_ID))

    def queues(self) -> list[Queue]:
        return [self._line.queue, *self.writer.queues()]

    def connections(self) -> Connections:
        size, idle = self._pool.get_size(), self._pool.get_idle_size()
        return Connections(size - idle, idle, max(0, self._line.queue.depth() - (size - idle)))

    async def close(self) -> None:
        if self._batches is not None:
            await self.writer.call(self._close_batches)
        await self.writer.stop()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    async def _close_batches(self) -> None:
        await self._batches.close(timeout=CONNECT_TIMEOUT_SECONDS)
