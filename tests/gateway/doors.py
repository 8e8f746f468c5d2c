"""Two servers with the same data, one for each entry point."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.journeys.client import Client, colleague, owner
from tests.journeys.metrics import read_metrics
from tests.journeys.server import ServerProcess
from tests.journeys.wire import Answer, Wire, head

TOKEN = "metrics-of-the-gateway-0123456789"
CHANGING = {"date", "server", "x-request-id", "ratelimit", "connection", "content-length", "keep-alive"}
CHUNKED = {"transfer-encoding": "chunked"}
Case = tuple[str, bytes, dict[str, str]]
"""The name of a path, a body and headers. A header with an empty value is not sent."""


class Doors:
    """Two servers with the same data: the same people and chats in the same order."""

    def __init__(self, app: ServerProcess, gateway: ServerProcess) -> None:
        self.app, self.gateway = app, gateway
        self.senders: list[Sender] = []

    async def open(self) -> list[Sender]:
        """Return a sender of the app and one of the gateway."""
        if not self.senders:
            self.senders = [await Sender.create(server) for server in (self.app, self.gateway)]
        return self.senders


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


@contextmanager
def running_doors(folder: Path, databases: list[str | None]) -> Iterator[Doors]:
    """Run two servers on these databases; None is SQLite."""
    how = {"rate_limits": "on", "metrics_token": TOKEN}
    for name in ("app", "gateway"):
        (folder / name).mkdir()
    with (
        ServerProcess(folder / "app", databases[0], **how, gateway="off") as app,
        ServerProcess(folder / "gateway", databases[1], **how, gateway="on") as gateway,
    ):
        yield Doors(app, gateway)


async def gateway_counts(doors: Doors, route: str) -> tuple[float, float]:
    """Return the number of requests that reached the app, and that of all sends to the route, whatever their answer."""
    found = await read_metrics(Client(doors.gateway), TOKEN)
    series = f'fechatter_requests_total{{route="{route}",method="POST"'
    sent = sum(count for name, count in found.items() if name.startswith(series))
    return found["fechatter_gateway_proxied_total"], sent


def comparable_headers(answer: Answer) -> dict[str, str]:
    """Return the headers that are equal in equal answers."""
    return {name: value for name, value in answer.headers.items() if name not in CHANGING}
