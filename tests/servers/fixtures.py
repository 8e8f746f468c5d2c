"""The servers as fixtures: one of each per test process, started when the first test asks for it."""

from collections.abc import Iterator

import pytest

from tests.servers.disks import UNPROVED, can_mount
from tests.servers.nats import Nats
from tests.servers.postgres import Postgres

QUICK = {"full_page_writes": "off", "autovacuum": "off"}
"""For a server whose many small databases are thrown away: it writes less to the disk, and nobody tidies."""


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """The shared server. A test that kills or stops one starts its own `Postgres()`, which keeps what it committed."""
    server = Postgres(**QUICK)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def postgres_url(postgres_server: Postgres) -> str:
    """The address of an empty database of this test's own."""
    return postgres_server.create_database()


@pytest.fixture(scope="session")
def nats_server() -> Iterator[Nats]:
    """The shared server. A test that kills or stops one starts its own `Nats()`."""
    server = Nats()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def nats_url(nats_server: Nats) -> str:
    """The address of the shared server; names of streams must be this test's own."""
    return nats_server.url


@pytest.fixture(scope="session")
def needs_mounts() -> None:
    """Skip the test, visibly, where the machine does not allow mounts."""
    if not can_mount():
        pytest.skip(UNPROVED)
