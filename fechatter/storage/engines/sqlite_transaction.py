"""One transaction or snapshot on SQLite, see `engines.base.Transaction`."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence

from fechatter.frames import Frame, Signal
from fechatter.model import now_ms
from fechatter.storage.engines.base import PAUSE_SECONDS
from fechatter.storage.engines.dialect import for_sqlite, sqlite_parameter
from fechatter.storage.engines.high_water import HighWater
from fechatter.storage.engines.sqlite_errors import translated

_IDS = "UPDATE counters SET value = value + 1 WHERE name = 'ids' RETURNING value"


class SqliteTransaction:
    """A transaction or snapshot on one connection. The caller runs BEGIN and COMMIT."""

    def __init__(self, connection: sqlite3.Connection, high_water: HighWater | None = None) -> None:
        self.connection = connection
        self.high_water = high_water or HighWater()
        self.reserved: dict[int, int] = {}
        self.frames: list[Frame] = []
        self.signals: list[Signal] = []
        self.now = now_ms()
        self.rows = 0

    def run(self, sql: str, *args: object) -> sqlite3.Cursor:
        """Run a statement synchronously. Raises StorageError."""
        with translated():
            return self.connection.execute(for_sqlite(sql), [sqlite_parameter(arg) for arg in args])

    async def fetch(self, sql: str, *args: object) -> Sequence[sqlite3.Row]:
        cursor = self.run(sql, *args)
        with translated():
            rows = cursor.fetchall()
        self.rows += len(rows)
        return rows

    async def fetchrow(self, sql: str, *args: object) -> sqlite3.Row | None:
        rows = await self.fetch(sql, *args)
        return rows[0] if rows else None

    async def execute(self, sql: str, *args: object) -> int:
        return self.run(sql, *args).rowcount

    async def pause(self) -> None:
        time.sleep(PAUSE_SECONDS)  # noqa: ASYNC251  # on a reader's own thread, without a loop

    async def new_id(self) -> int:
        ((drawn,),) = self.connection.execute(_IDS).fetchall()
        return int(drawn)


def fetch_row(connection: sqlite3.Connection, sql: str, args: Sequence[object]) -> sqlite3.Row | None:
    """Return the first row of a query that is a snapshot of its own, or None. Raises StorageError."""
    with translated():
        # All rows are fetched, because the snapshot ends after the last one.
        rows = connection.execute(for_sqlite(sql), args).fetchall()
    return rows[0] if rows else None


def roll_back(connection: sqlite3.Connection) -> None:
    """Roll back the transaction. Raises StorageError."""
    # After some errors, such as a full disk, SQLite itself has already rolled back.
    if connection.in_transaction:
        with translated():
            connection.execute("ROLLBACK")
