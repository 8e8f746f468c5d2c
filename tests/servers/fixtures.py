"""Fixtures of the real servers: one server per kind and test process, started on first use."""

from collections.abc import Iterator

import pytest

from tests.servers.disks import UNPROVED, can_mount
from tests.servers.nats import Nats
from tests.servers.postgres import Postgres
from tests.servers.process import running

QUICK = {"full_page_writes": "off", "autovacuum": "off"}
"""Options for a server with many small temporary databases: fewer disk writes and no background cleaning."""


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """The shared server. A test that kills or stops a server starts its own `Postgres()`, whose data survive."""
    with running(Postgres(**QUICK)) as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: Postgres) -> str:
    """The address of an empty database for one test."""
    return postgres_server.create_database()


@pytest.fixture(scope="session")
def nats_server() -> Iterator[Nats]:
    """The shared server. A test that kills or stops a server starts its own `Nats()`."""
    with running(Nats()) as server:
        yield server


@pytest.fixture
def nats_url(nats_server: Nats) -> str:
    """The address of the shared server. Each test must use stream names of its own."""
    return nats_server.url


@pytest.fixture(scope="session")
def needs_mounts() -> None:
    """Skip the test, with a note in the summary, if the machine does not allow mounts."""
    if not can_mount():
        pytest.skip(UNPROVED)
