"""Chats over HTTP: statuses, codes, headers and shapes. Other files here test the rules themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from fechatter.api.application import Application
from fechatter.api.routes import ROUTES
from fechatter.auth.quotas import Quotas
from fechatter.auth.tokens import AccessTokens, Claims
from fechatter.model import Actor, Role
from fechatter.settings import Settings
from fechatter.storage.engines.base import Transaction
from fechatter.tasks import Tasks
from fechatter.telemetry.watch import Watch
from tests.chats.conftest import World
from tests.world import raise_on_death

_SESSION = """
INSERT INTO sessions (id, workspace_id, user_id, salt, created_at, last_used_at, expires_at)
VALUES ($1, $2, $3, $4, 0, 0, $5)"""


class Api:
    """The routes over one database. `call` sends a request as one person."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tokens = AccessTokens(b"s" * 32, 900)
        app = Application(ROUTES)
        settings = Settings()
        app.services = SimpleNamespace(
            database=world.database,
            tokens=self.tokens,
            settings=settings,
            quotas=Quotas(settings),
            watch=Watch(),
            tasks=Tasks(raise_on_death),
        )
        self.client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://server")

    async def sign_in(self, workspace_id: int, name: str, role: Role = Role.MEMBER) -> Actor:
        actor = await self.world.person(workspace_id, name, role)  # type: ignore[arg-type]

        async def work(tx: Transaction) -> None:
            await tx.execute(_SESSION, actor.session_id, actor.workspace_id, actor.user_id, b"", tx.now + 60_000)

        await self.world.database.write_unlocked(work)
        return actor

    async def call(self, actor: Actor, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        token = self.tokens.sign(Claims(actor.user_id, actor.workspace_id, actor.session_id))
        sent = {"authorization": f"Bearer {token}", **{name.replace("_", "-"): text for name, text in headers.items()}}
        return await self.client.request(method, path, json=body, headers=sent)


@pytest.fixture
async def api(world: World) -> AsyncIterator[Api]:
    made = Api(world)
    yield made
    await made.client.aclose()


async def test_a_chat_from_its_creation_to_its_deletion(api: Api) -> None:
    workspace_id = await api.world.workspace()
    alice, bob = await api.sign_in(workspace_id, "alice"), await api.sign_in(workspace_id, "bob")
    made = await api.call(alice, "POST", "/api/chat", {"chat_type": "public_channel", "name": "News"})
    chat = made.json()
    assert made.status_code == 201
    assert list(chat) == [
        *("id", "chat_type", "name", "description", "owner_id", "member_count", "members", "created_at", "updated_at"),
        *(
            "archived_at",
            "last_number",
            "last_message",
            "last_read_number",
            "read_revision",
            "unread_count",
            "starred",
            "muted",
        ),
    ]
    path = f"/api/chat/{chat['id']}"
    assert (await api.call(bob, "GET", path)).status_code == 404
    assert (await api.call(bob, "GET", "/api/channels?q=new")).json()["items"][0]["joined"] is False
    assert (await api.call(bob, "POST", f"{path}/join")).json()["member_count"] == 2
    shown = await api.call(bob, "GET", path)
    assert shown.headers["event-cursor"] == f"{api.world.database.era}.2"
    await api.world.message(chat["id"], alice)
    assert (await api.call(bob, "PUT", f"{path}/read", {"number": 1})).status_code == 204
    changed = await api.call(alice, "PATCH", path, {"name": "Old news", "archived": True})
    assert (changed.status_code, changed.json()["name"]) == (200, "Old news")
    assert (await api.call(alice, "PATCH", path, {"name": "x"})).json()["code"] == "chat_archived"
    assert (await api.call(bob, "DELETE", path)).status_code == 403
    assert (await api.call(bob, "POST", f"{path}/leave")).status_code == 204
    assert (await api.call(alice, "DELETE", path)).status_code == 204
    assert (await api.call(alice, "GET", path)).status_code == 404


async def test_members_over_http(api: Api) -> None:
    workspace_id = await api.world.workspace()
    alice, bob, carol = [await api.sign_in(workspace_id, name) for name in ("alice", "bob", "carol")]
    body = {"chat_type": "private_channel", "name": "plans", "members": [bob.user_id]}
    path = f"/api/chat/{(await api.call(alice, 'POST', '/api/chat', body)).json()['id']}/members"
    added = await api.call(bob, "POST", path, {"members": [carol.user_id, bob.user_id]})
    assert (added.status_code, [item["user_id"] for item in added.json()["items"]]) == (200, [carol.user_id])
    first = (await api.call(carol, "GET", f"{path}?limit=2")).json()
    rest = (await api.call(carol, "GET", f"{path}?limit=2&cursor={first['next']}")).json()
    assert [list(item) for item in rest["items"]] == [["user_id", "role", "joined_at"]]
    assert ([item["role"] for item in first["items"]], rest["next"]) == (["owner", "member"], None)
    assert (await api.call(alice, "PATCH", f"{path}/{bob.user_id}", {"role": "owner"})).json()["role"] == "owner"
    assert (await api.call(bob, "PATCH", f"{path}/{carol.user_id}", {"role": "member"})).status_code == 422
    assert (await api.call(bob, "DELETE", f"{path}/{alice.user_id}")).status_code == 204
    assert (await api.call(bob, "DELETE", path, {"members": [carol.user_id]})).status_code == 204
    assert (await api.call(bob, "DELETE", f"{path}/{carol.user_id}")).status_code == 404
    refused = await api.call(bob, "POST", path, {"members": [carol.user_id, 999_999]})
    assert refused.json()["errors"][0]["pointer"] == "/members/1"


async def test_creation_can_be_repeated_with_the_key_in_body_or_header(api: Api) -> None:
    alice = await api.sign_in(await api.world.workspace(), "alice")
    body = {"chat_type": "public_channel", "name": "News"}
    first = await api.call(alice, "POST", "/api/chat", body, idempotency_key="k1")
    again = await api.call(alice, "POST", "/api/chat", {**body, "idempotency_key": "k1"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    both = await api.call(alice, "POST", "/api/chat", {**body, "idempotency_key": "k1"}, idempotency_key="k2")
    assert (both.status_code, both.json()["errors"][0]["code"]) == (422, "key_mismatch")
    other = await api.call(alice, "POST", "/api/chat", {**body, "name": "Other"}, idempotency_key="k1")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")


async def test_the_list_of_chats_has_pages_and_a_position(api: Api) -> None:
    alice = await api.sign_in(await api.world.workspace(), "alice")
    for number in range(3):
        await api.call(alice, "POST", "/api/chat", {"chat_type": "private_channel", "name": f"{number}"})
    first = await api.call(alice, "GET", "/api/chat?limit=2")
    rest = await api.call(alice, "GET", f"/api/chat?limit=2&cursor={first.json()['next']}")
    assert [chat["name"] for chat in first.json()["items"] + rest.json()["items"]] == ["0", "1", "2"]
    assert rest.json()["next"] is None
    assert first.headers["event-cursor"].endswith(".3")
    for bad in ("limit=0", "limit=101", "cursor=x", "page=2"):
        assert (await api.call(alice, "GET", f"/api/chat?{bad}")).status_code == 422


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"chat_type": "club"}, "/chat_type"),
        ({"name": "x"}, "/chat_type"),
        ({"chat_type": "group", "members": ["1", 2]}, "/members/0"),
        ({"chat_type": "group", "members": [True, 2]}, "/members/0"),
        ({"chat_type": "group", "members": [2**60, 2]}, "/members/0"),
        ({"chat_type": "group", "members": [10**30, 2]}, "/members/0"),
        ({"chat_type": "group", "members": {"a": 1}}, "/members"),
        ({"chat_type": "public_channel", "name": {"$ne": 1}}, "/name"),
        ({"chat_type": "public_channel", "name": "a\x00"}, "/name"),
        ({"chat_type": "public_channel", "name": "x", "colour": "red"}, "/colour"),
    ],
)
async def test_invalid_bodies_are_refused_with_the_pointer_of_the_fault(api: Api, body: Any, pointer: str) -> None:
    alice = await api.sign_in(await api.world.workspace(), "alice")
    answer = await api.call(alice, "POST", "/api/chat", body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_every_route_hides_the_chats_of_other_workspaces(api: Api) -> None:
    alice = await api.sign_in(await api.world.workspace(), "alice")
    eve = await api.sign_in(await api.world.workspace("other"), "eve", Role.OWNER)
    made = await api.call(alice, "POST", "/api/chat", {"chat_type": "public_channel", "name": "News"})
    path = f"/api/chat/{made.json()['id']}"
    attempts: list[tuple[str, str, Any]] = [
        ("GET", "", None),
        ("PATCH", "", {"name": "ours"}),
        ("DELETE", "", None),
        ("PUT", "/read", {"number": 0}),
        ("POST", "/unread", {"number": 1}),
        ("GET", "/unread", None),
        ("POST", "/join", None),
        ("POST", "/leave", None),
        ("GET", "/members", None),
        ("POST", "/members", {"members": [eve.user_id]}),
        ("DELETE", "/members", {"members": [alice.user_id]}),
        ("PATCH", f"/members/{eve.user_id}", {"role": "owner"}),
        ("DELETE", f"/members/{alice.user_id}", None),
    ]
    for method, rest, body in attempts:
        there = await api.call(eve, method, path + rest, body)
        nowhere = await api.call(eve, method, f"/api/chat/999999{rest}", body)
        assert there.status_code == nowhere.status_code == 404, (method, rest)
        assert {**there.json(), "request_id": ""} == {**nowhere.json(), "request_id": ""}
    assert (await api.call(eve, "GET", "/api/channels")).json() == {"items": [], "next": None}
    assert (await api.call(eve, "GET", "/api/chat")).json() == {"items": [], "next": None}
    assert (await api.client.get(path)).status_code == 401
