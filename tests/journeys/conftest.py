"""The server under test, on each database engine and behind each entry point."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.journeys.server import GATEWAY, ServerProcess
from tests.journeys.sharing import QUICK, SharedServers
from tests.journeys.stream import Stream
from tests.journeys.wire import OPENED

DOORS = ["gateway" if GATEWAY == "on" else "app"]
"""The entry point. Every journey runs through each of them, in two runs with different FECHATTER_GATEWAY."""
ENGINES = ["sqlite", "postgres"]
TRANSPORTS = ["sse", "websocket"]


@pytest.fixture(scope="module", params=DOORS)
def door(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def server(door: str, engine: str, shared_servers: SharedServers) -> ServerProcess:
    """A running server that all journeys share. Each test creates its own workspace, and none stops the server."""
    return shared_servers(engine, QUICK, signup="open", heartbeat_seconds="1")


@pytest.fixture
def own_server(door: str, engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that is not started yet and that the test may stop or kill."""
    url = request.getfixturevalue("postgres_server").create_database() if engine == "postgres" else None
    process = ServerProcess(tmp_path, url, heartbeat_seconds="1")
    try:
        yield process
    finally:
        process.kill()


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> Iterator[str]:
    """How the streams of a test are opened. A module with this fixture runs its tests over each transport."""
    Stream.transport = str(request.param)
    yield Stream.transport
    Stream.transport = TRANSPORTS[0]


@pytest.fixture(autouse=True)
async def close_connections() -> AsyncIterator[None]:
    """Close the connections of a test at its end."""
    yield
    await asyncio.gather(*(wire.abort() for wire in list(OPENED)))
