"""Real servers to attack: one without rate limits, as in `tests/journeys`, and one with rate limits."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import asyncpg
import pytest

from tests.journeys.conftest import close_connections, door, engine, own_server, server, transport
from tests.journeys.server import ServerProcess

__all__ = ["close_connections", "door", "engine", "limited_server", "own_server", "server", "transport"]


NARROW = {"messages_per_minute": "60", "requests_per_minute": "300", "stranger_requests_at_once": "40"}

METRICS_TOKEN = "metrics-token-of-the-limited-server"


@pytest.fixture(scope="module")
def limited_server(
    engine: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    """A server with narrow rate limits, open sign-up and the log level `debug`."""
    url = request.getfixturevalue("postgres_server").create_database() if engine == "postgres" else None
    settings = {"signup": "open", "heartbeat_seconds": "1", "rate_limits": "on", "log_level": "debug"}
    folder = tmp_path_factory.mktemp("limited")
    with ServerProcess(folder, url, metrics_token=METRICS_TOKEN, **settings, **NARROW) as process:
        yield process


async def execute(server: ServerProcess, sql: str) -> None:
    """Change the database directly while the server runs."""
    url = server.database_url
    if url is None:
        with sqlite3.connect(server.data_dir / "fechatter.db", timeout=10) as connection:
            connection.execute(sql)
        connection.close()
        return
    connected = await asyncpg.connect(url)
    try:
        await connected.execute(sql)
    finally:
        await connected.close()
