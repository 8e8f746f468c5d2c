"""Opens a database by its address: migrates it and begins an era.

The modules of PostgreSQL are imported only if it is used, so that a server on SQLite starts sooner and needs less
memory.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fechatter.errors import StartError
from fechatter.storage import eras
from fechatter.storage.copying import CopySource, CopyTarget
from fechatter.storage.engines import sqlite_copy
from fechatter.storage.engines.base import Database, Publish
from fechatter.storage.engines.sqlite import SqliteDatabase
from fechatter.storage.engines.sqlite_migrate import migrate_sqlite
from fechatter.storage.engines.sqlite_remains import check_no_remains
from fechatter.storage.migrate import Migration
from fechatter.storage.rekeying import rekey


def is_postgres(address: str) -> bool:
    """Return whether the address is a URL of PostgreSQL."""
    return address.startswith(("postgres://", "postgresql://"))


def sqlite_path(address: str) -> Path:
    """Return the file of `sqlite:///path`, or the address itself as a path."""
    return Path(address.removeprefix("sqlite://"))


def check_there(address: str) -> None:
    """Check that an SQLite file exists. A PostgreSQL address is not checked.

    Raises StartError: the file does not exist, or the operator must first act on files beside it.
    """
    if is_postgres(address):
        return
    path = sqlite_path(address)
    check_no_remains(path)
    if not path.exists():
        raise StartError(f"There is no database {path}; set FECHATTER_DATA_DIR, or start the server once.")


async def migrate(address: str) -> list[str]:
    """Bring the database up to date and return the names of the applied migrations. Raises StartError."""
    if is_postgres(address):
        from fechatter.storage.engines.postgres_migrate import migrate_postgres

        return await migrate_postgres(address)
    return migrate_sqlite(sqlite_path(address))


async def open_database(
    address: str, publish: Publish, *, connections: int = 10, beside_server: bool = False
) -> Database:
    """Migrate, connect, begin an era, and bring keys up to date.

    A command beside a running server begins no era. Raises StartError, StorageUnavailable.
    """
    await migrate(address)
    database: Database
    if is_postgres(address):
        from fechatter.storage.engines.postgres import PostgresDatabase

        database = await PostgresDatabase.open(address, publish, connections=connections)
    else:
        database = SqliteDatabase(sqlite_path(address), publish)
    system_id = await database.system_id()
    database.era = await database.write_unlocked(
        eras.current if beside_server else lambda tx: eras.begin(tx, system_id)
    )
    await rekey(database)
    return database


@asynccontextmanager
async def open_source(address: str) -> AsyncIterator[CopySource]:
    """Open one snapshot of the database, beside a running server. Raises StartError."""
    if is_postgres(address):
        from fechatter.storage.engines.postgres_copy import postgres_source

        async with postgres_source(address) as source:
            yield source
    else:
        async with sqlite_copy.sqlite_source(sqlite_path(address)) as source:
            yield source


@asynccontextmanager
async def open_target(address: str, migrations: list[Migration]) -> AsyncIterator[CopyTarget]:
    """Create a database with these migrations; it becomes visible when the block ends. Raises StartError."""
    if is_postgres(address):
        from fechatter.storage.engines.postgres_copy import postgres_target

        async with postgres_target(address, migrations) as target:
            yield target
    else:
        async with sqlite_copy.sqlite_target(sqlite_path(address), migrations) as target:
            yield target
