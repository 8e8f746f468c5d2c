"""A message has the same answer through the gateway and through the app, and usual messages do not reach the app."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.journeys.client import Client, colleague, owner
from tests.journeys.metrics import read_metrics
from tests.journeys.server import ServerProcess
from tests.journeys.wire import OPENED, Answer, Wire, head

TOKEN = "metrics-of-the-gateway-0123456789"
ROUTE = 'route="/api/chat/{chat_id}/messages",method="POST"'
CHANGING = {"date", "server", "x-request-id", "ratelimit", "connection", "content-length", "keep-alive"}
CHUNKED = {"transfer-encoding": "chunked"}
Case = tuple[str, bytes, dict[str, str]]


class Doors:
    """Two servers with the same data: the same people and chats in the same order."""

    def __init__(self, app: ServerProcess, gateway: ServerProcess) -> None:
        self.app, self.gateway = app, gateway
        self.senders: list[Sender] = []

    async def open(self) -> list[Sender]:
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

    async def send(self, case: Case) -> Answer:
        path, body, headers = case
        own = {"authorization": f"Bearer {self.person.token}", "content-type": "application/json"}
        given = {name: value for name, value in {**own, **headers}.items() if value}
        wire = await Wire.open(self.person.server.port)
        try:
            if CHUNKED.items() <= headers.items():
                chunk = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
                return await wire.raw(head("POST", self.paths[path], given) + chunk)
            return await wire.request("POST", self.paths[path], body, given)
        finally:
            await wire.abort()


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    folder, how = tmp_path_factory.mktemp("doors"), {"rate_limits": "on", "metrics_token": TOKEN}
    for name in ("app", "gateway"):
        (folder / name).mkdir()
    with (
        ServerProcess(folder / "app", **how, gateway="off") as app,
        ServerProcess(folder / "gateway", **how, gateway="on") as gateway,
    ):
        yield Doors(app, gateway)


@pytest.fixture(autouse=True)
async def close_connections() -> AsyncIterator[None]:
    """Close the connections of a test at its end."""
    yield
    await asyncio.gather(*(wire.abort() for wire in list(OPENED)))


GOOD = b'{"content": "Good morning"}'
USUAL: dict[str, Case] = {
    "a message": ("own", GOOD, {}),
    "a message with a key": ("own", b'{"content": "a", "idempotency_key": "k1"}', {}),
    "its repeat": ("own", b'{"content": "a", "idempotency_key": "k1"}', {}),
    "its key with another content": ("own", b'{"content": "b", "idempotency_key": "k1"}', {}),
    "a key in the header": ("own", GOOD, {"idempotency-key": "k2"}),
    "a query": ("query", GOOD, {}),
    "a page of our own site": ("own", GOOD, {"origin": "http://localhost"}),
    "a chat of others": ("foreign", GOOD, {}),
    "an archived chat": ("archived", GOOD, {}),
    "a chat that does not exist": ("missing", GOOD, {}),
    "escapes": ("own", rb'{"content": "\ud83d\ude00 \u0041"}', {}),
    "the largest body": ("own", GOOD.ljust(64 << 10), {}),
}
UNUSUAL: dict[str, Case] = {
    "no token": ("own", GOOD, {"authorization": ""}),
    "another scheme": ("own", GOOD, {"authorization": "Basic YTpi"}),
    "a broken token": ("own", GOOD, {"authorization": "Bearer a.b.c"}),
    "no JSON": ("own", b"{", {}),
    "invalid UTF-8": ("own", b'{"content": "\xff"}', {}),
    "an empty message": ("own", b'{"content": " "}', {}),
    "an unknown field": ("own", b'{"content": "a", "colour": 1}', {}),
    "an empty body": ("own", b"", {}),
    "another type": ("own", GOOD, {"content-type": "text/plain"}),
    "a charset": ("own", GOOD, {"content-type": "application/json; charset=utf-8"}),
    "chunks": ("own", GOOD, CHUNKED),
    "a compressed body": ("own", GOOD, {"content-encoding": "gzip"}),
    "a key that is not visible": ("own", GOOD, {"idempotency-key": "\u00e9"}),
    "two different keys": ("own", b'{"content": "a", "idempotency_key": "x"}', {"idempotency-key": "y"}),
    "a body that is too large": ("own", GOOD.ljust((64 << 10) + 1), {}),
    "an encoded path": ("encoded", GOOD, {}),
    "a chat id that is too large": ("too large", GOOD, {}),
}


def _comparable(answer: Answer) -> tuple[object, ...]:
    headers = {name: value for name, value in answer.headers.items() if name not in CHANGING}
    body = answer.json if answer.body else None
    for changing in ("id", "number", "created_at", "request_id"):
        body.pop(changing, None)
    return answer.status, headers, body


async def _gateway_counts(server: ServerProcess) -> tuple[float, float]:
    """Return the number of requests that reached the app, and that of all messages sent, whatever their answer."""
    found = await read_metrics(Client(server), TOKEN)
    sent = sum(count for name, count in found.items() if name.startswith(f"fechatter_requests_total{{{ROUTE}"))
    return found["fechatter_gateway_proxied_total"], sent


@pytest.mark.parametrize("case", [*USUAL, *UNUSUAL])
async def test_both_doors_return_the_same_answer(doors: Doors, case: str) -> None:
    wanted = {**USUAL, **UNUSUAL}[case]
    by_app, by_gateway = [await sender.send(wanted) for sender in await doors.open()]
    assert _comparable(by_gateway) == _comparable(by_app)


@pytest.mark.parametrize("case", USUAL)
async def test_a_usual_message_does_not_reach_the_app_but_is_counted(doors: Doors, case: str) -> None:
    _, sender = await doors.open()
    proxied, sent = await _gateway_counts(doors.gateway)
    await sender.send(USUAL[case])
    # One of the requests for the metrics reached the app.
    assert await _gateway_counts(doors.gateway) == (proxied + 1, sent + 1)


async def test_both_doors_count_a_quota_together(doors: Doors) -> None:
    _, sender = await doors.open()
    left = [(await sender.send(("own", GOOD, headers))).headers["ratelimit"] for headers in ({}, CHUNKED, {})]
    remaining = [int(each.split("r=")[1].split(";")[0]) for each in left]
    # The quota refills all the time, so a slow machine may see it grow.
    assert max(remaining) < 6000
    assert remaining[0] - remaining[-1] <= 2
