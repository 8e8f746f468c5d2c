"""A response that the gateway repeats is the response that the app would send, as long as the reader may have it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.doors import TOKEN, Pair, comparable_headers, gateway_counts, running_servers, without_fields
from tests.journeys.cached_readers import repeated
from tests.journeys.client import Client, colleague, owner, signed_in
from tests.journeys.metrics import cache_hits
from tests.journeys.server import ServerProcess
from tests.journeys.wire import Answer

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


Doors = Pair[Readers]


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    settings = {"rate_limits": "on", "metrics_token": TOKEN}
    with running_servers(tmp_path_factory.mktemp("doors"), **settings) as servers:
        yield Doors(servers, Readers.create)


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
    content = without_fields(answer.json, lambda name: name.endswith(("_at", "name", "email", "handle")))
    return answer.status, comparable_headers(answer, ("event-cursor", "vary")), content


async def is_cached(reader: Client, path: str, **headers: str) -> bool:
    """Whether the cache answers."""
    before = await cache_hits(reader.server, TOKEN)
    await reader.ask("GET", path, headers=headers)
    return await cache_hits(reader.server, TOKEN) > before


@pytest.mark.parametrize("case", CACHED)
async def test_both_doors_return_the_same_answer(doors: Doors, case: str) -> None:
    by_app, by_gateway = await doors.open()
    first = await by_gateway.member.ask("GET", by_gateway.paths[case])
    again = await repeated(by_gateway.member, by_gateway.paths[case], TOKEN)
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
    path, route = readers.paths[case], ROUTES.get(case, PAGES)
    await repeated(readers.member, path, TOKEN)
    before = after = await gateway_counts(doors.gateway, route, "GET")
    # The app answers while the head of the log is not known, as on a busy machine.
    while after[1] == before[1]:
        before = await gateway_counts(doors.gateway, route, "GET")
        await readers.member.ask("GET", path)
        after = await gateway_counts(doors.gateway, route, "GET")
    # One of the requests for the metrics reached the app.
    assert after == tuple(count + 1 for count in before)


async def test_members_share_a_page_after_the_app_has_served_each_of_them(doors: Doors) -> None:
    _, readers = await doors.open()
    path = f"/api/chat/{readers.chat}/messages?limit=7"
    await repeated(readers.member, path, TOKEN)
    other = await signed_in(readers.member)
    assert not await is_cached(other, path)
    await repeated(other, path, TOKEN)
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
    await repeated(readers.guest, "/api/users/me", TOKEN)


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


async def test_both_doors_count_a_quota_together(tmp_path: Path) -> None:
    how = {"rate_limits": "on", "metrics_token": TOKEN, "gateway": "on"}
    with ServerProcess(tmp_path, **how, requests_per_minute="600") as server:
        readers = await Readers.create(server)
        path = readers.paths["a short page"]
        before, began = (await repeated(readers.member, path, TOKEN)).remaining, time.monotonic()
        for _ in range(50):
            await repeated(readers.member, path, TOKEN)
        for _ in range(20):
            by_app = await readers.member.ask("GET", path, headers={"event-cursor": "elsewhere.1"})
        by_gateway = await repeated(readers.member, path, TOKEN)
        # The quota refills by ten requests per second.
        refilled = int(10 * (time.monotonic() - began)) + 1
    assert by_app.remaining <= before - 70 + refilled
    assert by_gateway.remaining <= before - 71 + refilled


@pytest.mark.parametrize("coding", ["zstd", "br", "gzip", "identity"])
async def test_each_content_coding_is_kept_apart(doors: Doors, coding: str) -> None:
    _, readers = await doors.open()
    path = f"/api/chat/{readers.chat}/messages?limit=49"
    wanted = {"accept-encoding": coding}
    first = await readers.member.ask("GET", path, headers=wanted)
    again = await repeated(readers.member, path, TOKEN, **wanted)
    assert again.body == first.body
    assert again.headers.get("content-encoding") == (None if coding == "identity" else coding)
    assert again.headers["vary"] == first.headers["vary"] == "accept-encoding"
