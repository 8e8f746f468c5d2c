"""Servers that tests share: one of each kind per test process, started when the first test asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tests.journeys.server import ServerProcess

AS_IT_IS = ("-m", "fechatter")
QUICK = ("-m", "tests.journeys.quick")


class SharedServers:
    """Starts a server for each engine and settings once, and hands out the same again."""

    def __init__(self, request: pytest.FixtureRequest, folders: pytest.TempPathFactory) -> None:
        self._request = request
        self._folders = folders
        self._running: dict[tuple[str, ...], ServerProcess] = {}

    def __call__(self, engine: str, program: Sequence[str] = AS_IT_IS, **settings: str) -> ServerProcess:
        """The running server with these settings. Raises ServerFailed."""
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
