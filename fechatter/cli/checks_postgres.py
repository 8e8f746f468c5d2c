"""The parts of `checks_database.py` for PostgreSQL."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fechatter.cli.findings import TIMEOUT_SECONDS, Finding
from fechatter.errors import StartError, StorageError
from fechatter.storage import soundness
from fechatter.storage.engines import postgres_migrate
from fechatter.storage.engines.postgres_link import Connector, Link
from fechatter.storage.engines.postgres_settings import READ


async def look(url: str) -> Mapping[str, Any]:
    """Return what `judge` needs. Raises StartError."""
    async with _snapshot(url) as link:
        return await soundness.look(link)


def judge(found: Mapping[str, Any], connection_limit: int) -> Finding:
    """Return the worst fault in the settings of this PostgreSQL server, or a good finding."""
    for fault in soundness.faults(found, connection_limit):
        return Finding("database settings", False, fault.state, fault.remedy)
    # The server sets synchronous_commit = on itself.
    return Finding("database settings", True, f"PostgreSQL {found['version']}, {found['connections']} connections")


async def clocks(url: str, newest: str) -> tuple[int | None, float]:
    """Return the time of the newest message in milliseconds, and PostgreSQL's own time in seconds.

    Args:
        newest: the query for the first of them.

    Raises:
        StartError: the database cannot be reached.
    """
    async with _snapshot(url) as link:
        there = await link.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8")
        known = await link.fetchval("SELECT to_regclass('messages') IS NOT NULL")
        return (await link.fetchval(newest) if known else None), there


async def applied(url: str) -> dict[str, str | None]:
    """Return version and checksum of each applied migration; none if the database is empty. Raises StartError."""
    async with _snapshot(url) as link:
        if not await link.fetchval("SELECT to_regclass('schema_migrations') IS NOT NULL"):
            return {}
        return await postgres_migrate.applied(link)


@asynccontextmanager
async def _snapshot(url: str) -> AsyncIterator[Link]:
    """Open one snapshot. Raises StartError: the database cannot be reached."""
    connector = Connector(url, application="fechatter doctor", primary=False, command_seconds=TIMEOUT_SECONDS)
    try:
        link = await connector.link()
        try:
            async with link.transaction(READ):
                yield link
        finally:
            await link.close()
    except StorageError as error:
        raise StartError(f"the database cannot be reached ({error})") from error
