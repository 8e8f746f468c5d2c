"""Both database engines as one fixture. A test that uses `address` or `database` runs on each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fechatter.frames import Frame, Signal
from fechatter.storage.engines.base import Database
from fechatter.storage.opening import open_database
from tests.servers.postgres import Postgres
from tests.world import WriterNode

CONNECTIONS = 4


class Published:
    """Collects the frames and signals that a database publishes after its commits, in order."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.signals: list[Signal] = []

    def __call__(self, frames: list[Frame], signals: list[Signal]) -> None:
        self.frames += frames
        self.signals += signals


@pytest.fixture(scope="session")
def shared_postgres_url(postgres_server: Postgres) -> str:
    """One database for many tests. Each test has its own workspaces. Creating a database takes half a second."""
    return postgres_server.create_database()


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database. On PostgreSQL it is shared, unless the test is marked `empty_database`."""
    if request.param == "postgres" and request.node.get_closest_marker("empty_database"):
        return str(request.getfixturevalue("postgres_url"))
    if request.param == "postgres":
        return str(request.getfixturevalue("shared_postgres_url"))
    return f"sqlite://{tmp_path / 'fechatter.db'}"


@pytest.fixture
def published() -> Published:
    """The frames and signals that `database` published."""
    return Published()


@pytest.fixture
async def database(address: str, published: Published) -> AsyncIterator[Database]:
    """An open, migrated database."""
    opened = await open_database(address, published, connections=CONNECTIONS)
    yield opened
    await opened.close()


@pytest.fixture
async def node(database: Database) -> AsyncIterator[WriterNode]:
    """A node whose writer takes a batch when the test commits."""
    opened = WriterNode(database)
    yield opened
    await opened.close()
