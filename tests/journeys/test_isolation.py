"""Workspaces are isolated: an id of another workspace gets the same response as an id that does not exist."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import orjson
import pytest

from fechatter.api.paging import encode_cursor
from fechatter.api.routes import OPEN, TABLE
from tests.journeys.client import PASSWORD, Client, colleague, owner
from tests.journeys.foreign import ATTEMPTS, NAMES_NOTHING, NOWHERE, Attempt, WorkspaceIds
from tests.journeys.server import ServerProcess
from tests.journeys.wire import Answer, comparable

SECRET = "Quetzalcoatl"
"""Part of every text in the other workspace."""

ROUTES = [f"{method} {path}" for path, methods in TABLE.items() for method in methods]


PUBLIC_PATHS = {
    "/api/server",
    "/api/signup",
    "/api/signin",
    "/api/refresh",
    "/api/invitations/lookup",
    "/api/password-resets",
    "/api/password-resets/lookup",
}


class Tenant(NamedTuple):
    owner: Client
    member: Client
    place: WorkspaceIds

    async def state(self) -> dict[str, Any]:
        """Return everything that the owner can see."""
        chats = (self.place.chat, self.place.channel)
        return {
            "sync": await self.owner.get("/api/sync"),
            "messages": [await self.owner.history(chat_id) for chat_id in chats],
            "members": [await self.owner.get(f"/api/chat/{chat_id}/members") for chat_id in chats],
            "users": await self.owner.get("/api/users"),
            "sessions": [session["id"] for session in (await self.owner.get("/api/sessions"))["items"]],
            "invitations": await self.owner.get("/api/invitations"),
        }


async def tenant(server: ServerProcess, text: str) -> Tenant:
    host = await owner(server)
    await host.call("PATCH", "/api/workspace", {"name": f"{text} house"})
    await host.call("PATCH", "/api/users/me", {"fullname": f"{text} owner"})
    member = await colleague(host)
    chat = await host.chat("private_channel", member, name=f"{text} inner circle", description=text)
    channel = await host.chat("public_channel", name=f"{text} forum {host.id}")
    message = await host.send(chat["id"], f"{text} speaks")
    await host.send(channel["id"], f"{text} speaks to all")
    session = (await host.get("/api/sessions"))["items"][0]
    invitation = await host.post("/api/invitations", {"email": f"{text.lower()}@example.org"})
    return Tenant(
        host, member, WorkspaceIds(chat["id"], channel["id"], message["id"], member.id, session["id"], invitation["id"])
    )


async def attempt_request(asking: Tenant, route: str, attempt: Attempt, other: WorkspaceIds) -> Answer:
    path = attempt.path.format(own=asking.place, other=other)
    return await asking.owner.ask(route.split(" ")[0], path, attempt.body(asking.place, other))


async def test_every_route_is_either_attempted_or_takes_no_id() -> None:
    assert set(ROUTES) <= set(ATTEMPTS) | NAMES_NOTHING
    assert not [route for route in NAMES_NOTHING if ":id}" in route]


async def test_ids_of_another_workspace_behave_like_unknown_ids(server: ServerProcess) -> None:
    ours, theirs = await tenant(server, "Our"), await tenant(server, SECRET)
    before, own_before = await theirs.state(), await ours.state()
    for route in set(ROUTES) & set(ATTEMPTS):
        for attempt in ATTEMPTS[route]:
            foreign = await attempt_request(ours, route, attempt, theirs.place)
            unknown = await attempt_request(ours, route, attempt, NOWHERE)
            assert (foreign.status, unknown.status) == (attempt.status, attempt.status), (
                f"{route} {attempt.path}: {foreign.body!r}"
            )
            assert comparable(foreign) == comparable(unknown), f"{route} {attempt.path}"
            assert SECRET.lower().encode() not in foreign.body.lower()
            if attempt.status == 422:
                assert {error["code"] for error in foreign.json["errors"]} <= {"unknown_user", "unknown_channel"}
    assert await theirs.state() == before
    assert await ours.state() == own_before


async def test_a_batch_to_a_chat_of_another_workspace_is_refused_message_by_message(server: ServerProcess) -> None:
    ours, theirs = await tenant(server, "Our"), await tenant(server, SECRET)
    before = await theirs.state()
    body = {"messages": [{"content": "one", "idempotency_key": "1"}, {"content": "two"}]}
    for chat_id in (theirs.place.chat, theirs.place.channel, NOWHERE.chat):
        answer = await ours.owner.post(f"/api/chat/{chat_id}/messages/batch", body)
        assert [result["status"] for result in answer["results"]] == [404, 404]
        assert SECRET.encode() not in orjson.dumps(answer)
    assert await theirs.state() == before


async def test_no_list_shows_objects_of_another_workspace(server: ServerProcess) -> None:
    ours, theirs = await tenant(server, "Our"), await tenant(server, SECRET)
    epoch = (await ours.owner.cursor()).rpartition(".")[0]
    lists = [route.removeprefix("GET ") for route in ROUTES if route.startswith("GET /api/") and "{" not in route]
    asked = [
        *lists,
        f"/api/users?q={SECRET}",
        f"/api/channels?q={SECRET}",
        f"/api/channels?q=forum&cursor={encode_cursor(theirs.place.channel - 1)}",
    ]
    for path in asked:
        answer = await ours.owner.ask("GET", f"{path}?after={epoch}.0" if path == "/api/events" else path)
        assert answer.status in (200, 503), path
        assert SECRET.lower().encode() not in answer.body.lower(), path


@pytest.mark.usefixtures("transport")
async def test_a_position_of_another_workspace_shows_only_ones_own_events(server: ServerProcess) -> None:
    ours, theirs = await tenant(server, "Our"), await tenant(server, SECRET)
    for _ in range(3):
        await theirs.owner.send(theirs.place.chat, SECRET)
    cursor = await theirs.owner.cursor()
    [_, reset] = await (await ours.owner.listen(cursor)).until("reset")
    assert reset.id == await ours.owner.cursor()
    stream = await ours.owner.listen()
    await theirs.owner.send(theirs.place.channel, SECRET)
    await theirs.owner.call("PATCH", "/api/workspace", {"name": f"{SECRET} palace"})
    await stream.quiet(0.5)


async def test_an_invitation_grants_access_only_to_its_own_workspace(server: ServerProcess) -> None:
    ours, theirs = await tenant(server, "Our"), await tenant(server, SECRET)
    invitation = await theirs.owner.post("/api/invitations", {})
    session = await Client(server).post(
        "/api/signup",
        {
            "email": ours.owner.session["user"]["email"],
            "password": PASSWORD,
            "fullname": "Both",
            "invitation": invitation["token"],
        },
    )
    assert session["workspace"]["id"] == theirs.owner.workspace_id
    both = Client(server, session)
    assert (await both.ask("GET", f"/api/chat/{ours.place.chat}")).status == 404
    assert [chat["id"] for chat in (await both.get("/api/channels"))["items"]] == [
        session["workspace"]["default_chat_id"],
        theirs.place.channel,
    ]


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "PUT", "DELETE"])
async def test_only_public_paths_answer_without_a_token(server: ServerProcess, method: str) -> None:
    stranger = Client(server)
    closed = [path for path, methods in TABLE.items() if method in methods and path not in OPEN]
    assert {path for path in OPEN if path.startswith("/api/")} == PUBLIC_PATHS
    for path in closed:
        answer = await stranger.ask(method, re.sub(r"{\w+:id}", "1", path), raw=b"no JSON")
        assert (answer.status, answer.code) == (401, "unauthorized"), f"{method} {path}: {answer.body!r}"
