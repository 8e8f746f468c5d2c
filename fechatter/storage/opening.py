"""From an address to a database that is ready: migrated, with its epoch known.

The epoch is the first half of every cursor. It is random, and begins anew when the database is not the one it was: another system, or
another timeline of it (a failover to an older copy), or a restored backup.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fechatter.errors import StartError
from fechatter.model import now_ms
from fechatter.storage.copying import Source, Target
from fechatter.storage.engines import postgres_copy, sqlite_copy
from fechatter.storage.engines.base import Database, Publish, Transaction
from fechatter.storage.engines.postgres import PostgresDatabase
from fechatter.storage.engines.sqlite import SqliteDatabase
from fechatter.storage.migrate import Migration, migrate_postgres, migrate_sqlite
from fechatter.storage.rekeying import rekey
from fechatter.troubles import check_exists, trouble

_SERVER = "SELECT epoch, system_id FROM server WHERE id = 1"
_FIRST_EPOCH = "INSERT INTO server (id, epoch, system_id, created_at) VALUES (1, $1, $2, $3) ON CONFLICT DO NOTHING"
_NEW_EPOCH = "UPDATE server SET epoch = $1, system_id = $2 WHERE id = 1 AND system_id = $3"
_END_SESSIONS = "UPDATE sessions SET revoked_at = $1 WHERE revoked_at IS NULL"
# An older copy of the database does not know that a link was used.
_END_RESETS = "UPDATE password_resets SET revoked_at = $1 WHERE revoked_at IS NULL AND used_at IS NULL"


def is_postgres(address: str) -> bool:
    return address.startswith(("postgres://", "postgresql://"))


def sqlite_path(address: str) -> Path:
    """The file of `sqlite:///path`, or the address itself as a path."""
    return Path(address.removeprefix("sqlite://"))


def check_there(address: str) -> None:
    """Raises StartError: it names a file that is not there."""
    if is_postgres(address):
        return
    path = sqlite_path(address)
    try:
        check_exists(path)
    except OSError as error:
        raise StartError(trouble(error, path)) from error
    if not path.exists():
        raise StartError(f"There is no database {path}; set FECHATTER_DATA_DIR, or start the server once.")


async def migrate(address: str) -> list[str]:
    """Bring the database up to date; returns the names of the migrations applied. Raises StartError."""
    if is_postgres(address):
        return await migrate_postgres(address)
    return migrate_sqlite(sqlite_path(address))


async def open_database(address: str, publish: Publish, *, connections: int = 10) -> Database:
    """Migrate, connect, learn or begin the epoch, and bring keys up to date. Raises StartError, StorageUnavailable."""
    await migrate(address)
    database: Database
    if is_postgres(address):
        database = await PostgresDatabase.open(address, publish, connections=connections)
    else:
        database = SqliteDatabase(sqlite_path(address), publish)
    database.epoch = await learn_epoch(database)
    await rekey(database)
    return database


@asynccontextmanager
async def open_source(address: str) -> AsyncIterator[Source]:
    """One snapshot of the database as it is, for as long as it takes, beside those who use it. Raises StartError."""
    if is_postgres(address):
        async with postgres_copy.postgres_source(address) as source:
            yield source
    else:
        async with sqlite_copy.sqlite_source(sqlite_path(address)) as source:
            yield source


@asynccontextmanager
async def open_target(address: str, migrations: list[Migration]) -> AsyncIterator[Target]:
    """A new database of these migrations, there when the block ends well. Raises StartError."""
    if is_postgres(address):
        async with postgres_copy.postgres_target(address, migrations) as target:
            yield target
    else:
        async with sqlite_copy.sqlite_target(sqlite_path(address), migrations) as target:
            yield target


async def learn_epoch(database: Database) -> str:
    """This database's epoch; a new one, with all sessions ended, when it is another system or timeline than before."""
    system_id = await database.system_id()

    async def work(tx: Transaction) -> str:
        await tx.execute(_FIRST_EPOCH, new_epoch(), system_id, now_ms())
        row = await tx.fetchrow(_SERVER)
        if row is None:
            raise LookupError("the server's row is missing")
        if row["system_id"] == system_id:
            return str(row["epoch"])
        await begin_epoch(tx, system_id, row["system_id"])
        row = await tx.fetchrow(_SERVER)
        return str(row["epoch"]) if row else ""

    return await database.write(work)


def new_epoch() -> str:
    return secrets.token_hex(6)


async def begin_epoch(tx: Transaction, system_id: str, previous_system_id: str) -> None:
    """End all sessions and make every cursor given so far invalid."""
    if await tx.execute(_NEW_EPOCH, new_epoch(), system_id, previous_system_id):
        await tx.execute(_END_SESSIONS, tx.now)
        await tx.execute(_END_RESETS, tx.now)
