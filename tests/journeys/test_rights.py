"""Every cell of the table of rights over the socket: allowed, refused, or hidden like an object that does not exist."""

from __future__ import annotations

import asyncio
import re
from itertools import product
from urllib.parse import quote

import pytest

from fechatter.model import ChatType, Role
from fechatter.rights.chats import refusal, standing
from fechatter.rights.table import MAY_CHANGE, MAY_GIVE, WORKSPACE, ChatAction, WorkspaceAction
from tests.journeys.cells import NOWHERE, STANDINGS, PreparedChat, Request, Sessions, World, sign_up_everybody
from tests.journeys.client import Client
from tests.journeys.server import ServerProcess
from tests.journeys.wire import comparable

KINDS_AND_STATES = [pair for pair in product(ChatType, (False, True)) if pair != (ChatType.SINGLE, True)]
TRIED = {"sqlite": KINDS_AND_STATES, "postgres": [(ChatType.PUBLIC_CHANNEL, False)]}
"""The table does not depend on the engine, so PostgreSQL runs only a part of it."""
LAST = [ChatAction.DELETE_OWN, ChatAction.DELETE_OTHERS, ChatAction.LEAVE, ChatAction.DELETE]
IN_ORDER = [*(action for action in ChatAction if action not in LAST), *LAST]


@pytest.fixture(scope="module")
def sessions(server: ServerProcess) -> Sessions:
    return sign_up_everybody(server)


@pytest.fixture
async def world(server: ServerProcess, sessions: Sessions) -> World:
    return World(server, sessions)


def expected_code(
    action: ChatAction, kind: ChatType, role: Role, standing_name: str | None, *, archived: bool
) -> str | None:
    if action is ChatAction.JOIN and standing_name is not None:
        return None  # JOIN returns the chat to a member.
    return refusal(action, kind, standing(role, standing_name), archived=archived)


async def check_cell(who: Client, ask: Request, prepared: PreparedChat, code: str | None) -> None:
    """Send the request. If its object must be hidden, compare the refusal with that of an unknown id."""
    method, path, body = ask
    answer = await who.ask(method, path, body)
    if code is None:
        assert answer.status < 300, f"{ask}: {answer.body!r}"
        return
    assert (answer.status, answer.code) == (404 if code == "not_found" else 403, code), ask
    if code == "not_found":
        nothing = await who.ask(method, path.replace(f"/chat/{prepared.chat_id}", f"/chat/{NOWHERE}"), body)
        assert (nothing.status, comparable(nothing)) == (404, comparable(answer))


async def test_each_cell_of_the_table_of_chat_rights(world: World, engine: str) -> None:
    await world.create_shared_chat()
    for kind, archived in TRIED[engine]:
        shared = (
            None if kind is ChatType.SINGLE else await world.prepare_chat(kind, Role.MEMBER, None, archived=archived)
        )
        async with asyncio.TaskGroup() as group:
            for role, standing_name in product(Role, STANDINGS):
                group.create_task(check_person(world, kind, role, standing_name, shared, archived=archived))


async def check_person(
    world: World, kind: ChatType, role: Role, standing_name: str | None, shared: PreparedChat | None, *, archived: bool
) -> None:
    """Try every action as one person, in `shared` unless the action needs a chat of its own."""
    who, prepared = world.people[role, standing_name], shared
    if prepared is None or (standing_name == "owner" and role is not Role.MEMBER):
        prepared = await world.prepare_chat(kind, role, standing_name, archived=archived)
    for action in IN_ORDER:
        code = expected_code(action, kind, role, standing_name, archived=archived)
        if code is None and action in (ChatAction.LEAVE, ChatAction.DELETE):
            await check_ending(world, action, kind, role, standing_name, archived=archived)
            continue
        for ask in world.requests(action, prepared, who, archived=archived):
            await check_cell(who, ask, prepared, code)
        if code is None and action is ChatAction.JOIN and standing_name is None:
            await who.post(f"/api/chat/{prepared.chat_id}/leave")


async def check_ending(
    world: World, action: ChatAction, kind: ChatType, role: Role, standing_name: str | None, *, archived: bool
) -> None:
    """Try leaving and deleting on a chat that is created for this purpose."""
    who = world.people[role, standing_name]
    prepared = await world.prepare_chat(kind, role, standing_name, archived=archived)
    [ask] = world.requests(action, prepared, who, archived=archived)
    await check_cell(who, ask, prepared, None)
    assert (await who.ask("GET", f"/api/chat/{prepared.chat_id}")).status == 404


def workspace_requests(world: World, action: WorkspaceAction, channel_id: int) -> list[Request]:
    """Return the requests that need the action. The server must treat all of them alike."""
    A, host = WorkspaceAction, [world.host.id]
    match action:
        case A.SEE_PEOPLE:
            return [("GET", f"/api/users/{world.stranger.id}", None)]
        case A.SEE_CHANNELS:
            return [("POST", f"/api/chat/{channel_id}/join", None)]
        case A.CREATE_SINGLE:
            return [("POST", "/api/chat", {"chat_type": "single", "members": host})]
        case A.CREATE_GROUP:
            return [
                ("POST", "/api/chat", {"chat_type": "group", "members": [*host, world.people[Role.MEMBER, "owner"].id]})
            ]
        case A.CREATE_PRIVATE_CHANNEL:
            return [("POST", "/api/chat", {"chat_type": "private_channel", "name": "ours", "members": host})]
        case A.CREATE_PUBLIC_CHANNEL:
            return [("POST", "/api/chat", {"chat_type": "public_channel", "name": f"all {channel_id}"})]
        case A.INVITE:
            return [("POST", "/api/invitations", {"role": "guest"}), ("GET", "/api/invitations", None)]
        case A.CHANGE_PEOPLE:
            guest = world.people[Role.GUEST, "owner"].id
            return [
                ("PATCH", f"/api/users/{guest}", {"role": "guest"}),
                ("PATCH", f"/api/users/{guest}", {"disabled": False}),
                ("POST", f"/api/users/{guest}/password-reset", None),
            ]
        case A.RENAME_WORKSPACE:
            return [("PATCH", "/api/workspace", {"name": world.host.session["workspace"]["name"]})]
        case A.READ_AUDIT:
            return [("GET", "/api/audit", None)]
        case A.SEE_EMAILS | A.SEE_HEALTH:
            return []  # `visible_parts` tests these: hidden fields are left out, not refused.


async def visible_parts(who: Client, world: World) -> dict[WorkspaceAction, bool]:
    """Return which optional parts of lists and responses the person can see."""
    people = await who.pages("/api/users")
    named = await who.get(f"/api/users?ids={world.stranger.id},{world.host.id}")
    health = await who.get("/health")
    ids = {world.stranger.id} & {user["id"] for user in people}
    assert ids == {world.stranger.id} & {user["id"] for user in named["items"]}
    emails = [
        "email" in user
        for user in [*people, *named["items"], await who.get(f"/api/users/{world.host.id}")]
        if user["id"] != who.id
    ]
    assert len(set(emails)) == 1
    return {
        WorkspaceAction.SEE_PEOPLE: bool(ids),
        WorkspaceAction.SEE_EMAILS: emails[0],
        WorkspaceAction.SEE_HEALTH: "latency_seconds" in health["parts"]["database"],
    }


HIDDEN = {WorkspaceAction.SEE_PEOPLE, WorkspaceAction.SEE_CHANNELS}
"""The server treats these objects as nonexistent."""


@pytest.mark.parametrize("role", Role)
async def test_each_cell_of_the_table_of_workspace_rights(world: World, role: Role) -> None:
    await world.create_shared_chat()
    who = world.people[role, None]
    channel = await world.host.chat("public_channel")
    listed = [each["id"] for each in (await who.get(f"/api/channels?q={quote(channel['name'])}"))["items"]]
    assert listed == ([channel["id"]] if role in WORKSPACE[WorkspaceAction.SEE_CHANNELS] else [])
    for action, shown in (await visible_parts(who, world)).items():
        assert shown == (role in WORKSPACE[action]), action
    for action, allowed in WORKSPACE.items():
        for method, path, body in workspace_requests(world, action, channel["id"]):
            answer = await who.ask(method, path, body)
            if role in allowed:
                assert answer.status < 300, f"{role} {method} {path}: {answer.body!r}"
                continue
            assert answer.status == (404 if action in HIDDEN else 403), f"{role} {method} {path}: {answer.body!r}"
            if action in HIDDEN:
                nothing = await who.ask(method, re.sub("[0-9]+", str(NOWHERE), path), body)
                assert comparable(nothing) == comparable(answer)


@pytest.mark.parametrize("role", Role)
async def test_each_cell_of_the_table_of_grantable_roles(world: World, role: Role) -> None:
    await world.create_shared_chat()
    who = world.people[role, None]
    for wanted in Role:
        answer = await who.ask("POST", "/api/invitations", {"role": wanted})
        assert answer.status == (201 if wanted in MAY_GIVE[role] else 403), f"{role} invites as {wanted}"
    for now in Role:
        answer = await who.ask("PATCH", f"/api/users/{world.people[now, 'member'].id}", {"disabled": False})
        assert answer.status == (200 if now in MAY_CHANGE[role] else 403), f"{role} enables {now}"
        answer = await who.ask("POST", f"/api/users/{world.people[now, 'member'].id}/password-reset")
        assert answer.status == (201 if now in MAY_CHANGE[role] else 403), f"{role} makes a reset link for {now}"
    for now, wanted in product(Role, Role):
        other = world.people[now, "member"]
        may = now in MAY_CHANGE[role] and wanted in MAY_GIVE[role]
        answer = await who.ask("PATCH", f"/api/users/{other.id}", {"role": wanted})
        assert answer.status == (200 if may else 403), f"{role} makes {now} {wanted}"
        if may and now is not wanted:
            await world.host.call("PATCH", f"/api/users/{other.id}", {"role": now})
    assert {(await world.host.get(f"/api/users/{world.people[now, 'member'].id}"))["role"] for now in Role} == set(Role)


async def test_nobody_can_raise_their_own_role(world: World) -> None:
    for role, wanted in product((Role.ADMIN, Role.MEMBER, Role.GUEST), Role):
        who = world.people[role, "owner"]
        if wanted not in MAY_GIVE[role] or role is not Role.ADMIN:
            assert (await who.ask("PATCH", f"/api/users/{who.id}", {"role": wanted})).status == 403
        assert (await who.ask("PATCH", "/api/users/me", {"role": wanted})).status == 422
        assert (await who.get("/api/users/me"))["role"] == role
