"""Copies whole PostgreSQL databases with COPY, see `storage.copying`: from one snapshot, or in one transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager

import asyncpg

from fechatter.errors import StartError
from fechatter.storage import migrate
from fechatter.storage.copying import LEFT_OUT, Column, Kind, Misfit, Table, Take, in_order, kind_of
from fechatter.storage.engines import postgres_migrate
from fechatter.storage.engines.base import Transaction
from fechatter.storage.engines.errors import RowRefused
from fechatter.storage.engines.postgres_link import Connector, Link
from fechatter.storage.engines.postgres_settings import READ, WRITE
from fechatter.storage.engines.postgres_transaction import PostgresTransaction
from fechatter.storage.soundness import check_sound

LONGEST_SECONDS = 6 * 3600.0
"""Timeout of one statement, which copies a whole table."""
COPY_SETTINGS = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}
INTEGERS = ("BIGINT", "INTEGER", "SMALLINT")
KINDS: dict[str, Kind] = {**dict.fromkeys(INTEGERS, "integer"), "TEXT": "text", "BYTEA": "bytes"}

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
    """See `storage.copying.CopySource`."""

    engine = "postgres"

    def __init__(self, link: Link, tables: list[Table], migrations: dict[str, str | None]) -> None:
        self._link = link
        self.tx: Transaction = PostgresTransaction(link)
        self.tables: Sequence[Table] = tables
        self.migrations: Mapping[str, str | None] = migrations

    async def count(self, table: Table) -> int:
        return int(await self._link.fetchval(f"SELECT count(*) FROM {table.name}"))

    async def copy(self, table: Table, take: Take) -> None:
        values = ", ".join(_json_value(column) for column in table.columns)

        async def unescape(lines: bytes) -> None:
            # COPY doubles backslashes. JSON contains no other character that COPY escapes.
            take(lines.replace(b"\\\\", b"\\"))

        query = f"SELECT json_build_array({values})::text FROM {table.name}"
        await self._link.driver.copy_from_query(query, output=unescape)

    async def last_id(self) -> int:
        # A sequence is outside the snapshot, but never behind it.
        return int(await self._link.fetchval(_LAST_ID))

    async def epoch(self) -> str:
        return str(await self._link.fetchval("SELECT coalesce(max(epoch), '') FROM server"))

    async def size_bytes(self) -> int:
        return int(await self._link.fetchval("SELECT pg_database_size(current_database())"))


def _json_value(column: Column) -> str:
    return f"encode({column.name}, 'hex')" if column.kind == "bytes" else column.name


async def tables_of(link: Link) -> list[Table]:
    """Return the tables to copy, each after the tables that it refers to. Raises StartError."""
    columns: dict[str, list[Column]] = {}
    for row in await link.fetch(_COLUMNS):
        name, column = row["table_name"], row["column_name"]
        if name not in LEFT_OUT:
            columns.setdefault(name, []).append(Column(column, kind_of(row["data_type"], KINDS, f"{name}.{column}")))
    references: dict[str, set[str]] = {name: set() for name in columns}
    for row in await link.fetch(_REFERENCES):
        if row["name"] in references:
            references[row["name"]].add(row["target"])
    return [Table(name, columns[name]) for name in in_order(references)]


@asynccontextmanager
async def postgres_source(url: str) -> AsyncIterator[PostgresSource]:
    """Open a snapshot of the database. Raises StartError."""
    # A standby also works, and reduces the load on the primary.
    async with _connected(url, primary=False) as link, link.transaction(READ):
        yield PostgresSource(link, await tables_of(link), await postgres_migrate.applied(link))


class PostgresTarget:
    """See `storage.copying.CopyTarget`."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.tx: Transaction = PostgresTransaction(link)

    async def tables(self) -> Sequence[Table]:
        return await tables_of(self._link)

    async def fill(self, table: Table, rows: Iterable[tuple[object, ...]]) -> None:
        names = [column.name for column in table.columns]
        await self._link.execute(f"DELETE FROM {table.name}")
        with _misfits(table.name):
            await self._link.driver.copy_records_to_table(table.name, records=rows, columns=names)

    async def finish(self, last_id: int) -> None:
        with _misfits("ids"):
            await self._link.execute("SELECT setval('ids', greatest($1::bigint, 1), $1::bigint > 0)", last_id)
        await postgres_migrate.apply(self._link, await postgres_migrate.missing(self._link))


@contextmanager
def _misfits(name: str) -> Iterator[None]:
    refusals = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, OverflowError, TypeError, ValueError)
    try:
        yield
    except (*refusals, RowRefused) as error:
        raise Misfit(f"{name}: {error}") from error


@asynccontextmanager
async def postgres_target(url: str, migrations: list[migrate.Migration]) -> AsyncIterator[PostgresTarget]:
    """Create the tables of these migrations in one transaction, which is committed when the block ends.

    Raises StartError: the database is not empty or cannot be written.
    """
    async with _connected(url) as link, link.transaction(WRITE):
        await check_sound(link)
        await link.fetch("SELECT pg_advisory_xact_lock($1)", postgres_migrate.ADVISORY_LOCK)
        await link.execute(migrate.TABLE)
        await postgres_migrate.apply(link, migrations)
        yield PostgresTarget(link)


async def is_empty(url: str) -> bool:
    """Return whether the schema contains no table. Raises StartError."""
    async with _connected(url) as link, link.transaction(READ):
        return not await link.fetchval("SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = current_schema())")


@asynccontextmanager
async def _connected(url: str, *, primary: bool = True) -> AsyncIterator[Link]:
    connector = Connector(
        url, application="fechatter copy", settings=COPY_SETTINGS, primary=primary, command_seconds=LONGEST_SECONDS
    )
    async with postgres_migrate.connected(connector) as link:
        try:
            yield link
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise StartError(f"The database refused ({error}).") from error
