"""SQLite: one connection for writing on the writer's thread, a few for reading, and a checkpointer.

With WAL and `synchronous=FULL`, a commit survives `kill -9` and a power cut once `write` or `store` has returned. A
transaction runs on one thread from beginning to end.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from fechatter.loops import LoopState
from fechatter.queues import Queue
from fechatter.storage import eras
from fechatter.storage.engines.base import Publish, Transaction, Work
from fechatter.storage.engines.checkpointer import Checkpointer
from fechatter.storage.engines.connections import Connections, reads_line
from fechatter.storage.engines.errors import StorageBusy
from fechatter.storage.engines.high_water import HighWater, WentBack
from fechatter.storage.engines.readers import ReaderThreads
from fechatter.storage.engines.sqlite_batch import SqliteBatches
from fechatter.storage.engines.sqlite_files import FileGuard
from fechatter.storage.engines.sqlite_hot import HotRows, NotHot
from fechatter.storage.engines.sqlite_open import open_file
from fechatter.storage.engines.sqlite_transaction import SqliteTransaction, fetch_row, roll_back
from fechatter.storage.engines.thread import CallsFull, LoopThread, run_inline

log = logging.getLogger(__name__)

T = TypeVar("T")

READERS = 3
BUSY_TIMEOUT_SECONDS = 5.0
MIN_BUSY_SECONDS = 0.05
"""Minimum wait for another process's lock after the time in the queue has used up the timeout."""


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection in autocommit mode, so that only explicit BEGIN and COMMIT delimit transactions.

    The file must exist. Raises sqlite3.Error.
    """
    connection = open_file(path, timeout=BUSY_TIMEOUT_SECONDS)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    # Deleted content must not remain in the file, so SQLite overwrites it with zeros.
    connection.execute("PRAGMA secure_delete=ON")
    # SQLite keeps a journal of a trigger's statements. A journal file would be created and deleted for each batch.
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute("PRAGMA cache_size=-65536")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """Open a connection that changes no file, so it may be opened while the writer's connection is open.

    If the database file was replaced, a connection that can write would delete the writer's log when it is closed.
    Raises sqlite3.Error.
    """
    connection = open_file(path, "ro", timeout=BUSY_TIMEOUT_SECONDS)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute("PRAGMA cache_size=-16384")
    # The first read opens the log files. Later they may have been deleted.
    connection.execute("SELECT name FROM sqlite_master LIMIT 1").fetchall()
    return connection


class SqliteDatabase:
    """See `engines.base.Database`."""

    engine = "SQLite"

    def __init__(self, path: Path, publish: Publish) -> None:
        self.path = path
        self._high_water = HighWater()
        self.writer = LoopThread("writer")
        self._publish = publish
        self._main_loop = asyncio.get_running_loop()
        self._write_connection = connect(path)
        # The first read opens the log files, which the guard must watch.
        self._write_connection.execute("SELECT name FROM sqlite_master LIMIT 1").fetchall()
        self._guard = FileGuard(path)
        self.batches = SqliteBatches(self._write_connection, self._guard, self._high_water, self._begin_after)
        # All at once: a file that is deleted or replaced later could not be opened, or would be another one.
        self._read_connections = [connect_reader(path) for _ in range(READERS)]
        self._unused: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        for connection in self._read_connections:
            self._unused.put(connection)
        self._readers = ReaderThreads(READERS)
        self._hot = HotRows(connect_reader(path))
        self._line = reads_line()
        self._local = threading.local()
        self._checkpointer = Checkpointer(path, self._write_connection, self.writer)

    @property
    def era(self) -> str:
        return self._high_water.era

    @era.setter
    def era(self, era: str) -> None:
        # No other server writes to this file, so another era comes from rolled-back files or from a command.
        self._high_water.era = era

    async def read(self, work: Work[T]) -> T:
        with self._line:
            return await self._readers.call(lambda: self._snapshot(self._reader(), work))

    async def read_row(self, sql: str, *args: object, keys: Sequence[Hashable]) -> sqlite3.Row | None:
        try:
            row = self._hot.fetch_row(sql, args, keys)
        except NotHot:
            with self._line:
                row = await self._readers.call(lambda: fetch_row(self._reader(), sql, args))
        self._hot.note(keys)
        return row

    def _reader(self) -> sqlite3.Connection:
        """Return the connection of this thread."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._unused.get_nowait()
        return connection

    def _snapshot(self, connection: sqlite3.Connection, work: Work[T]) -> T:
        transaction = SqliteTransaction(connection)
        transaction.run("BEGIN")
        try:
            return run_inline(work(transaction))
        finally:
            if connection.in_transaction:
                transaction.run("COMMIT")

    async def read_on_writer(self, work: Work[T]) -> T:
        return self._snapshot(self._write_connection, work)

    async def read_statement_on_writer(self, work: Work[T]) -> T:
        return await self.read_on_writer(work)

    async def write(self, workspace_id: int, work: Work[T]) -> T:
        """`workspace_id` is unused: BEGIN IMMEDIATE takes the only write lock of the database."""
        return await self.write_unlocked(work)

    async def write_unlocked(self, work: Work[T]) -> T:
        asked = time.monotonic()
        try:
            return await self.writer.call(lambda: self._write(work, asked))
        except CallsFull as error:
            raise StorageBusy("writer_full") from error

    async def _write(self, work: Work[T], asked: float) -> T:
        try:
            return self._change(work, asked)
        except WentBack as error:
            self._begin_after(error)
        return self._change(work, asked)

    def _begin_after(self, error: WentBack) -> None:
        """Begin an era, because the log went back in time or a command wrote to it."""
        self._enter(error.era)
        log.warning("%s; the event log continues in era %s", error, self.era)

    def _enter(self, after: str) -> str:
        self.era = self._change(lambda tx: eras.begin_after(tx, after), time.monotonic())
        self._high_water.forget()
        return self.era

    def _change(self, work: Work[T], asked: float) -> T:
        self._guard.refuse()
        transaction = SqliteTransaction(self._write_connection, self._high_water)
        with self._busy_timeout(time.monotonic() - asked):
            transaction.run("BEGIN IMMEDIATE")
        try:
            result = run_inline(work(transaction))
            transaction.run("COMMIT")
        except BaseException:
            roll_back(self._write_connection)
            raise
        self._guard.check()
        self._high_water.rise(transaction.reserved)
        if transaction.frames or transaction.signals:
            self._main_loop.call_soon_threadsafe(self._publish, transaction.frames, transaction.signals)
        return result

    @contextmanager
    def _busy_timeout(self, waited_seconds: float) -> Iterator[None]:
        """Subtract the time in the queue from the wait for the lock.

        Otherwise each write of the queue would wait for the full timeout, one after the other.
        """
        if waited_seconds < 1:
            yield
            return
        left = max(MIN_BUSY_SECONDS, BUSY_TIMEOUT_SECONDS - waited_seconds)
        self._write_connection.execute(f"PRAGMA busy_timeout={left * 1000:.0f}")
        try:
            yield
        finally:
            self._write_connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_SECONDS * 1000:.0f}")

    async def begin_era(self, after: str) -> str:
        async def enter() -> str:
            return self._enter(after)

        try:
            return await self.writer.call(enter)
        except CallsFull as error:
            raise StorageBusy("writer_full") from error

    async def system_id(self) -> str:
        """Return "", because a copied file looks like the original. A head that went back begins an era anyway."""
        return ""

    def queues(self) -> list[Queue]:
        return [self._line.queue, *self.writer.queues()]

    def watch_files(self, on_lost: Callable[[Exception], None]) -> None:
        self._guard.watch(lambda error: self._main_loop.call_soon_threadsafe(on_lost, error))

    def lost(self) -> str | None:
        return self._guard.lost

    def loops(self) -> list[LoopState]:
        return [self._checkpointer.state]

    async def check_writable(self) -> None:
        await self.write_unlocked(_take_the_lock)

    def connections(self) -> Connections:
        asked = self._line.queue.depth()
        busy = min(asked, READERS)
        return Connections(busy, READERS - busy, asked - busy)

    async def close(self) -> None:
        await self._main_loop.run_in_executor(None, self._checkpointer.stop)
        self._hot.close()
        await self.writer.stop()
        await self._main_loop.run_in_executor(None, self._readers.stop)
        await self._main_loop.run_in_executor(None, self._guard.stop)
        for connection in [*self._read_connections, self._write_connection]:
            connection.close()


async def _take_the_lock(tx: Transaction) -> None:
    """Do nothing: BEGIN IMMEDIATE has taken the lock."""
