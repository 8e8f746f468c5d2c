"""Copying whole PostgreSQL databases by COPY, see `storage.copying`: out of one REPEATABLE READ snapshot, into one transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg

from fechatter.errors import StartError
from fechatter.storage import migrate
from fechatter.storage.copying import LEFT_OUT, Column, Kind, Misfit, Table, Take, in_order, kind_of
from fechatter.storage.engines.base import Transaction
from fechatter.storage.engines.postgres import PostgresTransaction
from fechatter.telemetry.faults import told

CONNECT_SECONDS = 10
LONGEST_SECONDS = 6 * 3600.0
"""For one table; the server's own limits do not hold here."""
SERVER_SETTINGS = {"application_name": "fechatter copy", "timezone": "UTC", "synchronous_commit": "on", "lock_timeout": "5000"}
KINDS: dict[str, Kind] = {"BIGINT": "integer", "INTEGER": "integer", "SMALLINT": "integer", "TEXT": "text", "BYTEA": "bytes"}

_COLUMNS = """
SELECT table_name, column_name, data_type FROM information_schema.columns
JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY table_name, column_name COLLATE "C\""""
_REFERENCES = """
SELECT own.relname AS name, other.relname AS target FROM pg_constraint
JOIN pg_class own ON own.oid = conrelid JOIN pg_class other ON other.oid = confrelid
WHERE contype = 'f' AND connamespace = current_schema()::regnamespace"""
_LAST_ID = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM ids"


class PostgresSource:
    """See `storage.copying.Source`."""

    engine = "postgres"

    def __init__(self, connection: Any, tables: list[Table], migrations: dict[str, str | None]) -> None:
        self._connection = connection
        self.tx: Transaction = PostgresTransaction(connection, "")
        self.tables: Sequence[Table] = tables
        self.migrations: Mapping[str, str | None] = migrations

    async def count(self, table: Table) -> int:
        return int(await self._connection.fetchval(f"SELECT count(*) FROM {table.name}"))

    async def copy(self, table: Table, take: Take) -> None:
        values = ", ".join(_json_value(column) for column in table.columns)

        async def unescape(lines: bytes) -> None:
            # COPY doubles backslashes; nothing else that it escapes stands in JSON.
            take(lines.replace(b"\\\\", b"\\"))

        await self._connection.copy_from_query(f"SELECT json_build_array({values})::text FROM {table.name}", output=unescape)

    async def last_id(self) -> int:
        # A sequence is no part of the snapshot, but never behind it.
        return int(await self._connection.fetchval(_LAST_ID))

    async def epoch(self) -> str:
        return str(await self._connection.fetchval("SELECT coalesce(max(epoch), '') FROM server"))

    async def size_bytes(self) -> int:
        return int(await self._connection.fetchval("SELECT pg_database_size(current_database())"))


def _json_value(column: Column) -> str:
    return f"encode({column.name}, 'hex')" if column.kind == "bytes" else column.name


async def tables_of(connection: Any) -> list[Table]:
    columns: dict[str, list[Column]] = {}
    for row in await connection.fetch(_COLUMNS):
        name, column = row["table_name"], row["column_name"]
        if name not in LEFT_OUT:
            columns.setdefault(name, []).append(Column(column, kind_of(row["data_type"], KINDS, f"{name}.{column}")))
    references: dict[str, set[str]] = {name: set() for name in columns}
    for row in await connection.fetch(_REFERENCES):
        if row["name"] in references:
            references[row["name"]].add(row["target"])
    return [Table(name, columns[name]) for name in in_order(references)]


@asynccontextmanager
async def postgres_source(url: str) -> AsyncIterator[PostgresSource]:
    """The database as it is now. Raises StartError."""
    async with _connected(url) as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        yield PostgresSource(connection, await tables_of(connection), await migrate.applied_postgres(connection))


class PostgresTarget:
    """See `storage.copying.Target`."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.tx: Transaction = PostgresTransaction(connection, "")

    async def tables(self) -> Sequence[Table]:
        return await tables_of(self._connection)

    async def fill(self, table: Table, rows: Iterable[tuple[object, ...]]) -> None:
        names = [column.name for column in table.columns]
        with _misfits(table.name):
            await self._connection.execute(f"DELETE FROM {table.name}")
            await self._connection.copy_records_to_table(table.name, records=rows, columns=names)

    async def finish(self, last_id: int) -> None:
        with _misfits("ids"):
            await self._connection.execute("SELECT setval('ids', greatest($1::bigint, 1), $1::bigint > 0)", last_id)
        await migrate.apply_postgres(self._connection, await migrate.missing_postgres(self._connection))


@contextmanager
def _misfits(name: str) -> Iterator[None]:
    refusals = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, OverflowError, TypeError, ValueError)
    try:
        yield
    except refusals as error:
        raise Misfit(f"{name}: {error}") from error


@asynccontextmanager
async def postgres_target(url: str, migrations: list[migrate.Migration]) -> AsyncIterator[PostgresTarget]:
    """A database of these migrations, visible when all is done. Raises StartError: it is not empty, or cannot be written."""
    async with _connected(url) as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", migrate.ADVISORY_LOCK)
        await connection.execute(migrate.TABLE)
        await migrate.apply_postgres(connection, migrations)
        yield PostgresTarget(connection)


async def is_empty(url: str) -> bool:
    """Whether the database holds no table. Raises StartError."""
    async with _connected(url) as connection:
        return not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = current_schema())")


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Any]:
    try:
        connection = await asyncpg.connect(
            url, timeout=CONNECT_SECONDS, command_timeout=LONGEST_SECONDS, server_settings=SERVER_SETTINGS, statement_cache_size=0
        )
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise StartError(f"The database cannot be reached ({told(error)}); check FECHATTER_DATABASE_URL.") from error
    try:
        yield connection
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StartError(f"The database refused ({error}).") from error
    finally:
        await connection.close(timeout=CONNECT_SECONDS)
