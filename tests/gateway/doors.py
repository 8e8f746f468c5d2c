"""Two servers with the same data, one for each entry point."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from tests.journeys.client import Client, colleague, owner
from tests.journeys.metrics import read_metrics
from tests.journeys.server import ServerProcess
from tests.journeys.wire import Answer, Wire, head

TOKEN = "metrics-of-the-gateway-0123456789"
CHANGING = {"date", "server", "x-request-id", "ratelimit", "connection", "content-length", "keep-alive"}
CHUNKED = {"transfer-encoding": "chunked"}
T = TypeVar("T")
Case = tuple[str, bytes, dict[str, str]]
"""The name of a path, a body and headers. A header with an empty value is not sent."""


class Servers(NamedTuple):
    """A server for each entry point."""

    app: ServerProcess
    gateway: ServerProcess


class Pair(Generic[T]):
    """Two servers with the same data: `create` makes the same people and chats in the same order on both."""

    def __init__(self, servers: Servers, create: Callable[[ServerProcess], Awaitable[T]]) -> None:
        self.app, self.gateway = servers
        self._create = create
        self._created: list[T] = []

    async def open(self) -> list[T]:
        """Return the data of the app's server and that of the gateway's."""
        if not self._created:
            self._created = [await self._create(server) for server in (self.app, self.gateway)]
        return self._created


class Sender:
    """A member of a chat, who also knows a chat of others and an archived one."""

    def __init__(self, person: Client, paths: dict[str, str]) -> None:
        self.person, self.paths = person, paths

    @classmethod
    async def create(cls, server: ServerProcess) -> Sender:
        host = await owner(server, "Acme", setup_token=server.setup_token)
        member = await colleague(host)
        chats = {
            "own": await host.chat("private_channel", member),
            "foreign": await host.chat("private_channel"),
            "archived": await host.chat("private_channel", member),
        }
        await host.call("PATCH", f"/api/chat/{chats['archived']['id']}", {"archived": True})
        paths = {name: f"/api/chat/{chat['id']}/messages" for name, chat in chats.items()}
        paths |= {"missing": "/api/chat/999999/messages", "too large": "/api/chat/9007199254740992/messages"}
        paths["encoded"] = paths["own"].replace("chat", "%63hat")
        paths["query"] = paths["own"] + "?a=1"
        return cls(member, paths)

    async def send(self, case: Case, end: str = "") -> Answer:
        """Send a request to the path with `end` appended."""
        name, body, headers = case
        path, mark, query = self.paths[name].partition("?")
        path = f"{path}{end}{mark}{query}"
        own = {"authorization": f"Bearer {self.person.token}", "content-type": "application/json"}
        given = {name: value for name, value in {**own, **headers}.items() if value}
        wire = await Wire.open(self.person.server.port)
        try:
            if CHUNKED.items() <= headers.items():
                chunk = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
                return await wire.raw(head("POST", path, given) + chunk)
            return await wire.request("POST", path, body, given)
        finally:
            await wire.abort()


Doors = Pair[Sender]


@contextmanager
def running_servers(folder: Path, databases: Sequence[str | None] = (None, None), **settings: str) -> Iterator[Servers]:
    """Run two servers on these databases; None is SQLite."""
    for name in Servers._fields:
        (folder / name).mkdir()
    with (
        ServerProcess(folder / "app", databases[0], **settings, gateway="off") as app,
        ServerProcess(folder / "gateway", databases[1], **settings, gateway="on") as gateway,
    ):
        yield Servers(app, gateway)


async def gateway_counts(server: ServerProcess, route: str, method: str) -> tuple[float, float, float]:
    """Return the numbers of requests that reached the app, of responses from the cache, and of responses of a route."""
    found = await read_metrics(Client(server), TOKEN)
    series = f'fechatter_requests_total{{route="{route}",method="{method}"'
    answered = sum(count for name, count in found.items() if name.startswith(series))
    hits = found['fechatter_response_cache_requests_total{result="hit"}']
    return found["fechatter_gateway_proxied_total"], hits, answered


def comparable_headers(answer: Answer, ignored: Collection[str] = ()) -> dict[str, str]:
    """Return the headers that are equal in equal answers."""
    return {name: value for name, value in answer.headers.items() if name not in {*CHANGING, *ignored}}


def without_fields(value: Any, changes: Callable[[str], bool]) -> Any:
    """Return JSON without the fields that differ between the servers."""
    if isinstance(value, dict):
        return {name: without_fields(each, changes) for name, each in value.items() if not changes(name)}
    return [without_fields(each, changes) for each in value] if isinstance(value, list) else value
