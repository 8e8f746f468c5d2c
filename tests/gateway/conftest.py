"""A gateway in this process, in front of an upstream that the test controls."""

from __future__ import annotations

import asyncio
import inspect
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from fechatter.native import Certificates, Gateway, Streams
from fechatter.telemetry.watch import GatewayCounters
from tests.gateway.alone import QUICK, GatewayProcess, Start, Switchable
from tests.gateway.doors import TOKEN, Doors, Sender, running_servers
from tests.gateway.live import App
from tests.gateway.upstream import Upstream, running_upstream
from tests.journeys.wire import OPENED
from tests.servers.certificates import Certificates as Files
from tests.servers.postgres import Postgres


class RunningGateway:
    """A gateway on a port of 127.0.0.1. With certificates, it serves HTTPS. `options` are further parts of its
    configuration."""

    def __init__(
        self,
        upstreams: list[str],
        certificates: Certificates | None = None,
        options: dict[str, object] | None = None,
        live: Streams | None = None,
        **limits: float,
    ) -> None:
        configuration = msgspec.json.encode({"upstreams": upstreams, "limits": limits, **(options or {})})
        self.gateway = Gateway(configuration, certificates=certificates, streams=live)
        self.held = socket.create_server(("127.0.0.1", 0), backlog=1000)
        self.port: int = self.held.getsockname()[1]
        self.gateway.start([os.dup(self.held.fileno())])

    @property
    def counters(self) -> GatewayCounters:
        return msgspec.json.decode(self.gateway.counters(), type=GatewayCounters)

    def stop_accepting(self) -> None:
        self.held.close()
        self.gateway.stop_accepting()

    async def stop(self) -> None:
        self.held.close()
        await asyncio.to_thread(self.gateway.stop)


@pytest.fixture(autouse=True)
def close_connections(request: pytest.FixtureRequest) -> None:
    """Close the connections of a test at its end. Only coroutines have any, and can use asynchronous fixtures."""
    if inspect.iscoroutinefunction(request.function):
        request.getfixturevalue("closed_connections")


@pytest.fixture
async def closed_connections() -> AsyncIterator[None]:
    yield
    await asyncio.gather(*(wire.abort() for wire in list(OPENED)))


StartGateway = Callable[..., RunningGateway]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def doors(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """Two servers on the same engine, one for each entry point."""
    databases: list[str | None] = [None, None]
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres_server")
        databases = [server.create_database(), server.create_database()]
    settings = {"rate_limits": "on", "metrics_token": TOKEN}
    with running_servers(tmp_path_factory.mktemp("doors"), databases, **settings) as servers:
        yield Doors(servers, Sender.create)


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with running_upstream() as upstream:
        yield upstream


@pytest.fixture
async def start_gateway(upstream: Upstream) -> AsyncIterator[StartGateway]:
    """Start gateways with the given options and limits in front of the upstream."""
    running: list[RunningGateway] = []

    def start(
        certificates: Certificates | None = None,
        options: dict[str, object] | None = None,
        live: Streams | None = None,
        **limits: float,
    ) -> RunningGateway:
        address = f"tcp:127.0.0.1:{upstream.port}"
        running.append(RunningGateway([address], certificates, options, live, **limits))
        return running[-1]

    yield start
    await asyncio.gather(*(wire.abort() for wire in list(OPENED)))
    for gateway in running:
        await gateway.stop()


@pytest.fixture
def files(tmp_path: Path) -> Files:
    files = Files(tmp_path)
    files.renew()
    return files


@pytest.fixture
def certificates(files: Files) -> Certificates:
    return Certificates([files.pair])


@pytest.fixture
def tls_gateway(start_gateway: StartGateway, certificates: Certificates) -> RunningGateway:
    return start_gateway(certificates)


@pytest.fixture
def gateway(start_gateway: StartGateway) -> RunningGateway:
    return start_gateway()


@pytest.fixture
async def switchable() -> AsyncIterator[list[Switchable]]:
    found = [Switchable(name) for name in ("a", "b", "c")]
    for each in found:
        await each.on()
    yield found
    for each in found:
        await each.off()


@pytest.fixture
async def start(switchable: list[Switchable], tmp_path: Path) -> AsyncIterator[Start]:
    """Start a gateway in front of the first `count` upstreams."""
    running: list[GatewayProcess] = []

    async def start(count: int = 3, *arguments: str, routes: str = QUICK, **settings: str) -> GatewayProcess:
        named = [part for each in switchable[:count] for part in ("--upstream", each.url)]
        running.append(GatewayProcess(tmp_path, *named, *arguments, routes=routes, **settings))
        await running[-1].start()
        return running[-1]

    yield start
    for each in running:
        each.kill()


@pytest.fixture
def app(upstream: Upstream) -> App:
    return App(upstream)


@pytest.fixture
def door(app: App, start_gateway: StartGateway) -> RunningGateway:
    """A gateway that delivers the streams of `app`."""
    return start_gateway(live=app.streams)
