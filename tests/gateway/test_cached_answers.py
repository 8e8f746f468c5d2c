"""A response that the gateway repeats is the response that the app would send, as long as the reader may have it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journeys.client import Client, colleague, owner, signed_in
from tests.journeys.metrics import read_metrics
from tests.journeys.server import ServerProcess
from tests.journeys.wire import Answer

TOKEN = "metrics-of-the-cache-0123456789"
CHANGING = {"date", "server", "x-request-id", "ratelimit", "connection", "keep-alive"}
CHANGING |= {"content-length", "event-cursor", "vary"}
MESSAGES = 60


class Readers:
    """A member of a chat and others, on one server."""

    def __init__(self, host: Client, member: Client, guest: Client, chat: int, message: int) -> None:
        self.host, self.member, self.guest = host, member, guest
        self.chat, self.message = chat, message
        self.paths = {
            "the newest page": f"/api/chat/{chat}/messages",
            "a short page": f"/api/chat/{chat}/messages?limit=3",
            "a page before a number": f"/api/chat/{chat}/messages?before=20&limit=10",
            "a page after a number": f"/api/chat/{chat}/messages?after=20&limit=10",
            "a page around a number": f"/api/chat/{chat}/messages?around=20&limit=10",
            "a message": f"/api/chat/{chat}/messages/{message}",
            "the own profile": "/api/users/me",
            "a person": f"/api/users/{host.id}",
        }

    @classmethod
    async def create(cls, server: ServerProcess) -> Readers:
        host = await owner(server, "Acme", setup_token=server.setup_token)
        member, guest = await colleague(host), await colleague(host, "guest")
        chat = (await host.chat("private_channel", member, guest))["id"]
        messages = [await host.send(chat, f"message {number}") for number in range(MESSAGES)]
        return cls(host, member, guest, chat, messages[30]["id"])


class Doors:
    """Two servers with the same data: the same people, chats and messages in the same order."""

    def __init__(self, app: ServerProcess, gateway: ServerProcess) -> None:
        self.app, self.gateway = app, gateway
        self._readers: list[Readers] = []

    async def open(self) -> list[Readers]:
        if not self._readers:
            self._readers = [await Readers.create(server) for server in (self.app, self.gateway)]
        return self._readers


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


CACHED = [
    "the newest page",
    "a short page",
    "a page before a number",
    "a page after a number",
    "a page around a number",
    "a message",
    "the own profile",
    "a person",
]
ROUTES = {
    "a message": "/api/chat/{chat_id}/messages/{message_id}",
    "the own profile": "/api/users/me",
    "a person": "/api/users/{user_id}",
}
PAGES = "/api/chat/{chat_id}/messages"


def _comparable(answer: Answer) -> tuple[object, ...]:
    headers = {name: value for name, value in answer.headers.items() if name not in CHANGING}
    return answer.status, headers, _common(answer.json)


def _common(value: object) -> object:
    """Return JSON without times and names, in which the servers differ."""
    if isinstance(value, dict):
        return {
            key: _common(each) for key, each in value.items() if not key.endswith(("_at", "name", "email", "handle"))
        }
    return [_common(each) for each in value] if isinstance(value, list) else value


async def counted(server: ServerProcess, route: str = PAGES) -> tuple[float, float, float]:
    """Return the numbers of requests that reached the app, of answers from the cache, and of answers of a route."""
    found = await read_metrics(Client(server), TOKEN)
    series = f'fechatter_requests_total{{route="{route}",method="GET"'
    answered = sum(count for name, count in found.items() if name.startswith(series))
    hits = found['fechatter_response_cache_requests_total{result="hit"}']
    return found["fechatter_gateway_proxied_total"], hits, answered


async def is_cached(reader: Client, path: str, **headers: str) -> bool:
    """Whether the cache answers."""
    _, before, _ = await counted(reader.server)
    await reader.ask("GET", path, headers=headers)
    return (await counted(reader.server))[1] > before


async def keep(reader: Client, path: str, **headers: str) -> None:
    """Read until the cache answers. After a refusal, its session waits for the head of the log."""
    while not await is_cached(reader, path, **headers):
        pass


@pytest.mark.parametrize("case", CACHED)
async def test_both_doors_return_the_same_answer(doors: Doors, case: str) -> None:
    by_app, by_gateway = await doors.open()
    first = await by_gateway.member.ask("GET", by_gateway.paths[case])
    again = await by_gateway.member.ask("GET", by_gateway.paths[case])
    wanted = await by_app.member.ask("GET", by_app.paths[case])
    assert _comparable(first) == _comparable(again) == _comparable(wanted)
    assert again.body == first.body
    # Only the gateway compresses, so only its responses vary.
    for name in ("event-cursor", "vary"):
        assert again.headers.get(name) == first.headers.get(name)
    assert not any(name.startswith("surrogate") for answer in (first, again, wanted) for name in answer.headers)


@pytest.mark.parametrize("case", CACHED)
async def test_a_repeated_request_does_not_reach_the_app_but_is_counted(doors: Doors, case: str) -> None:
    _, readers = await doors.open()
    await keep(readers.member, readers.paths[case])
    route = ROUTES.get(case, PAGES)
    proxied, hits, answered = await counted(doors.gateway, route)
    await readers.member.ask("GET", readers.paths[case])
    # One of the requests for the metrics reached the app.
    assert await counted(doors.gateway, route) == (proxied + 1, hits + 1, answered + 1)


async def test_members_share_a_page_after_the_app_has_served_each_of_them(doors: Doors) -> None:
    _, readers = await doors.open()
    path = f"/api/chat/{readers.chat}/messages?limit=7"
    await keep(readers.member, path)
    other = await signed_in(readers.member)
    assert not await is_cached(other, path)
    await keep(other, path)
    assert not await is_cached(await colleague(readers.host), path)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/api/chat", {}),
        ("/api/sync", {}),
        ("/api/users", {}),
        ("/api/chat/{chat}", {}),
        ("/api/chat/{chat}/messages/{message}/versions", {}),
        ("/api/%63hat/{chat}/messages", {}),
        ("/api/users/me", {"event-cursor": "elsewhere.1"}),
        ("/api/users/me", {"te": "trailers"}),
    ],
)
async def test_other_requests_reach_the_app(doors: Doors, path: str, headers: dict[str, str]) -> None:
    _, readers = await doors.open()
    path = path.format(chat=readers.chat, message=readers.message)
    await readers.member.ask("GET", path)
    assert not await is_cached(readers.member, path, **headers)


async def test_a_guest_does_not_get_other_people_from_the_cache(doors: Doors) -> None:
    _, readers = await doors.open()
    for _ in range(2):
        assert not await is_cached(readers.guest, f"/api/users/{readers.host.id}")
    await keep(readers.guest, "/api/users/me")


async def test_a_change_is_in_the_next_answer(doors: Doors) -> None:
    for readers in await doors.open():
        page, one = readers.paths["the newest page"], readers.paths["a message"]
        for path in (page, one, "/api/users/me"):
            await readers.member.get(path)
        sent = await readers.host.send(readers.chat, "new")
        assert (await readers.member.get(page))["items"][0]["id"] == sent["id"]
        await readers.host.call("PATCH", one, {"content": "changed"})
        assert (await readers.member.get(one))["content"] == "changed"
        await readers.host.call("DELETE", f"/api/chat/{readers.chat}/messages/{sent['id']}")
        assert (await readers.member.get(page))["items"][0]["deleted_at"] is not None
        await readers.member.call("PATCH", "/api/users/me", {"timezone": "Europe/Zurich"})
        assert (await readers.member.get("/api/users/me"))["timezone"] == "Europe/Zurich"


async def test_a_person_who_lost_the_right_gets_the_refusal_of_the_app(doors: Doors) -> None:
    refusals = []
    for readers in await doors.open():
        person = await colleague(readers.host)
        other, chat = await signed_in(person), (await readers.host.chat("private_channel", person))["id"]
        path = f"/api/chat/{chat}/messages"
        for each in (person, other):
            for known in (path, "/api/users/me"):
                await each.get(known)
        await other.post("/api/logout")
        ended = [await other.ask("GET", each) for each in (path, "/api/users/me")]
        await readers.host.call("DELETE", f"/api/chat/{chat}/members/{person.id}")
        removed = await person.ask("GET", path)
        await readers.host.call("PATCH", f"/api/users/{person.id}", {"disabled": True})
        disabled = await person.ask("GET", "/api/users/me")
        refusals.append([(answer.status, answer.code) for answer in (*ended, removed, disabled)])
    assert refusals[0] == refusals[1] == [(401, "unauthorized")] * 2 + [(404, "not_found"), (401, "unauthorized")]


async def test_both_doors_count_a_quota_together(doors: Doors) -> None:
    _, readers = await doors.open()
    path = readers.paths["a short page"]
    headers: list[dict[str, str]] = [{}, {}, {"event-cursor": "elsewhere.1"}, {}]
    left = [(await readers.member.ask("GET", path, headers=each)).headers["ratelimit"] for each in headers]
    remaining = [int(each.split("r=")[1].split(";")[0]) for each in left]
    # The quota refills all the time, so a slow machine may see it grow.
    assert max(remaining) < 6000
    assert remaining[0] - remaining[-1] <= 3


@pytest.mark.parametrize("coding", ["zstd", "br", "gzip", "identity"])
async def test_each_content_coding_is_kept_apart(doors: Doors, coding: str) -> None:
    _, readers = await doors.open()
    path = f"/api/chat/{readers.chat}/messages?limit=49"
    wanted = {"accept-encoding": coding}
    first = await readers.member.ask("GET", path, headers=wanted)
    await keep(readers.member, path, **wanted)
    again = await readers.member.ask("GET", path, headers=wanted)
    assert again.body == first.body
    assert again.headers.get("content-encoding") == (None if coding == "identity" else coding)
    assert again.headers["vary"] == first.headers["vary"] == "accept-encoding"
