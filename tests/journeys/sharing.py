"""Servers that tests share: one per engine and settings in each test process, started on first use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tests.journeys.server import ServerProcess

FULL_COST = ("-m", "fechatter")
QUICK = ("-m", "tests.journeys.quick")


class SharedServers:
    """Starts one server per engine and settings and returns it again for later requests."""

    def __init__(self, request: pytest.FixtureRequest, folders: pytest.TempPathFactory) -> None:
        self._request = request
        self._folders = folders
        self._running: dict[tuple[str, ...], ServerProcess] = {}

    def __call__(self, engine: str, program: Sequence[str] = FULL_COST, **settings: str) -> ServerProcess:
        """Return the running server with these settings. Raises ServerFailed."""
        kind = (engine, *program, *map(str, sorted(settings.items())))
        if kind not in self._running:
            url = self._request.getfixturevalue("postgres_server").create_database() if engine == "postgres" else None
            process = ServerProcess(self._folders.mktemp("server"), url, program=program, **settings)
            process.start()
            self._running[kind] = process
        return self._running[kind]

    def kill(self) -> None:
        for process in self._running.values():
            process.kill()


@pytest.fixture(scope="session")
def shared_servers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedServers]:
    servers = SharedServers(request, tmp_path_factory)
    yield servers
    servers.kill()
