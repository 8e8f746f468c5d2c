"""The server of a module's tests, on each database engine and behind each door."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.journeys.server import ServerProcess
from tests.journeys.sharing import QUICK, SharedServers
from tests.journeys.wire import OPENED

DOORS = ["app"]
"""How a request gets in; every journey goes through each."""
ENGINES = ["sqlite", "postgres"]


@pytest.fixture(scope="module", params=DOORS)
def door(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def server(door: str, engine: str, shared_servers: SharedServers) -> ServerProcess:
    """A running server that all journeys share: each makes a workspace of its own, none ends the server."""
    return shared_servers(engine, QUICK, signup="open", heartbeat_seconds="1")


@pytest.fixture
def own_server(door: str, engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServerProcess]:
    """A server, not yet started, that the test may end as it likes."""
    url = request.getfixturevalue("postgres_server").create_database() if engine == "postgres" else None
    process = ServerProcess(tmp_path, url, heartbeat_seconds="1")
    try:
        yield process
    finally:
        process.kill()


@pytest.fixture(autouse=True)
async def closed_connections() -> AsyncIterator[None]:
    """No connection of a test outlives it."""
    yield
    for wire in list(OPENED):
        wire.close()
    await asyncio.sleep(0.01)
