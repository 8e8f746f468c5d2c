"""Applies migrations to a PostgreSQL database, see `storage.migrate`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fechatter.errors import StartError, StorageError
from fechatter.storage import migrate
from fechatter.storage.engines.postgres_link import Connector, Link
from fechatter.storage.engines.postgres_settings import WRITE
from fechatter.storage.migrate import Migration
from fechatter.storage.soundness import check_sound

ADVISORY_LOCK = 0x6665636861747465
SETTINGS = {"statement_timeout": "0", "lock_timeout": "0", "idle_in_transaction_session_timeout": "0"}
"""No timeouts: a large table takes long, and a second process waits until the first has migrated."""
LONGEST_SECONDS = 6 * 3600.0


async def migrate_postgres(url: str) -> list[str]:
    """Bring the database up to date and return the names of the applied migrations. Raises StartError."""
    connector = Connector(url, application="fechatter migrate", settings=SETTINGS, command_seconds=LONGEST_SECONDS)
    async with connected(connector) as link, link.transaction(WRITE):
        await check_sound(link)
        return await _migrate(link)


@asynccontextmanager
async def connected(connector: Connector) -> AsyncIterator[Link]:
    """Open a connection for the duration of the block.

    Raises StartError: the database cannot be reached, or it refused a statement in the block.
    """
    try:
        link = await connector.link()
    except StorageError as error:
        if "statement pooling" in str(error):
            raise StartError(
                "PgBouncer's pool_mode = statement allows no transactions; set it to transaction."
            ) from error
        raise StartError(f"The database cannot be reached ({error}); check FECHATTER_DATABASE_URL.") from error
    try:
        yield link
    except StorageError as error:
        raise StartError(f"The database refused ({error}).") from error
    finally:
        await link.close()


async def _migrate(link: Link) -> list[str]:
    await link.fetch("SELECT pg_advisory_xact_lock($1)", ADVISORY_LOCK)
    rows = await link.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    tables = {row["tablename"] for row in rows}
    if tables and "schema_migrations" not in tables:
        raise migrate.foreign_database(tables)
    await link.execute(migrate.TABLE)
    todo = await missing(link)
    await apply(link, todo)
    return [migration.name for migration in todo]


async def missing(link: Link) -> list[Migration]:
    """Return the migrations that are not applied yet. Raises StartError."""
    return migrate.pending(migrate.available("postgres"), await applied(link))


async def applied(link: Link) -> dict[str, str | None]:
    """Return the checksum of each applied migration by its version."""
    rows = await link.fetch("SELECT version, checksum FROM schema_migrations")
    return {row["version"]: row["checksum"] for row in rows}


async def apply(link: Link, migrations: list[Migration]) -> None:
    """Apply the migrations in the open transaction."""
    for migration in migrations:
        await link.execute(migration.sql)
        row = (migration.version, migration.name, migration.checksum)
        await link.execute("INSERT INTO schema_migrations VALUES ($1, $2, $3)", *row)
