"""Copies whole SQLite databases, see `storage.copying`: from one read transaction, or into a new file.

A reader does not block the writer; the write-ahead log only grows until the reader has finished.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

from fechatter.disk.drafts import lock, sync
from fechatter.disk.troubles import trouble
from fechatter.errors import StartError
from fechatter.storage import migrate
from fechatter.storage.copying import LEFT_OUT, Column, Kind, Misfit, Table, Take, in_order, kind_of
from fechatter.storage.engines import sqlite_migrate
from fechatter.storage.engines.base import Transaction
from fechatter.storage.engines.sqlite_open import open_file, open_reader
from fechatter.storage.engines.sqlite_remains import restore_draft
from fechatter.storage.engines.sqlite_transaction import SqliteTransaction

LINES_AT_ONCE = 1000
KINDS: dict[str, Kind] = {"INTEGER": "integer", "TEXT": "text", "BLOB": "bytes"}

_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
_COLUMNS = "SELECT name, type FROM pragma_table_info(?) ORDER BY name"
_REFERENCES = 'SELECT DISTINCT "table" FROM pragma_foreign_key_list(?)'


class SqliteSource:
    """See `storage.copying.CopySource`."""

    engine = "sqlite"

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self.tx: Transaction = SqliteTransaction(connection)
        self.tables: Sequence[Table] = tables_of(connection)
        self.migrations: Mapping[str, str | None] = sqlite_migrate.applied(connection)

    async def count(self, table: Table) -> int:
        return int(self._one(f"SELECT count(*) FROM {table.name}"))

    async def copy(self, table: Table, take: Take) -> None:
        values = ", ".join(_json_value(column) for column in table.columns)
        rows = self._connection.execute(f"SELECT json_array({values}) FROM {table.name}")
        while some := rows.fetchmany(LINES_AT_ONCE):
            take("".join(f"{line}\n" for (line,) in some).encode())

    async def last_id(self) -> int:
        return int(self._one("SELECT value FROM counters WHERE name = 'ids'"))

    async def epoch(self) -> str:
        return str(self._one("SELECT coalesce(max(epoch), '') FROM server"))

    async def size_bytes(self) -> int:
        return self._path.stat().st_size

    def _one(self, sql: str) -> Any:
        (value,) = self._connection.execute(sql).fetchone()
        return value


def _json_value(column: Column) -> str:
    # In SQLite, hex(NULL) is the empty text.
    return f"iif({column.name} IS NULL, NULL, hex({column.name}))" if column.kind == "bytes" else column.name


def tables_of(connection: sqlite3.Connection) -> list[Table]:
    """Return the tables to copy, each after the tables that it refers to. Raises StartError."""
    names = {name for (name,) in connection.execute(_TABLES)} - LEFT_OUT
    references = {name: {target for (target,) in connection.execute(_REFERENCES, (name,))} for name in names}
    return [_table(connection, name) for name in in_order(references)]


def _table(connection: sqlite3.Connection, name: str) -> Table:
    columns = connection.execute(_COLUMNS, (name,)).fetchall()
    return Table(name, [Column(column, kind_of(declared, KINDS, f"{name}.{column}")) for column, declared in columns])


@asynccontextmanager
async def sqlite_source(path: Path) -> AsyncIterator[SqliteSource]:
    """Open a snapshot of the database. Raises StartError."""
    try:
        with open_reader(path) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA query_only=ON")
            connection.execute("BEGIN")
            source = SqliteSource(connection, path)
            if not source.migrations:
                raise StartError(f"The database {path} is empty; start the server once.")
            yield source
    except sqlite3.Error as error:
        raise StartError(trouble(error, path)) from error


class SqliteTarget:
    """See `storage.copying.CopyTarget`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.tx: Transaction = SqliteTransaction(connection)

    async def tables(self) -> Sequence[Table]:
        return tables_of(self._connection)

    async def fill(self, table: Table, rows: Iterable[tuple[object, ...]]) -> None:
        names = ", ".join(column.name for column in table.columns)
        places = ", ".join("?" * len(table.columns))
        with _misfits(table.name):
            self._connection.execute(f"DELETE FROM {table.name}")
            self._connection.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({places})", rows)

    async def finish(self, last_id: int) -> None:
        with _misfits("ids"):
            self._connection.execute("UPDATE counters SET value = ? WHERE name = 'ids'", (last_id,))
        broken = self._connection.execute("PRAGMA foreign_key_check").fetchone()
        if broken is not None:
            raise Misfit(f"{broken[0]}: a row refers to a missing row of {broken[2]}")
        sqlite_migrate.apply(self._connection, sqlite_migrate.missing(self._connection))


@contextmanager
def _misfits(name: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError, OverflowError) as error:
        raise Misfit(f"{name}: {error}") from error


@asynccontextmanager
async def sqlite_target(path: Path, migrations: list[migrate.Migration]) -> AsyncIterator[SqliteTarget]:
    """Create a database with these migrations. It is renamed to `path` when the block ends.

    Until then, no server starts at `path`. Raises StartError.
    """
    draft = restore_draft(path)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _claimed(draft), closing(_connect_draft(draft)) as connection:
            connection.execute("BEGIN")
            connection.execute(migrate.TABLE)
            sqlite_migrate.apply(connection, migrations)
            yield SqliteTarget(connection)
            connection.execute("COMMIT")
            sync(draft)
            draft.rename(path)
            sync(path.parent)
    except (sqlite3.Error, OSError) as error:
        raise StartError(f"{trouble(error, path)} Nothing was restored.") from error


@contextmanager
def _claimed(draft: Path) -> Iterator[None]:
    """Create the draft, empty and locked; delete it at the end unless it was renamed. Raises StartError, OSError."""
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        if lock(descriptor) is False:
            raise StartError(f"Another restore is writing {draft}; wait until it has finished.")
        os.ftruncate(descriptor, 0)
        try:
            yield
        finally:
            draft.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _connect_draft(draft: Path) -> sqlite3.Connection:
    # A failed draft is deleted, and a complete one is synced once, so it needs no journal.
    connection = open_file(draft)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-131072")
    return connection
