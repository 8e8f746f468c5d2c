"""A new workspace has a default channel that everybody except guests joins."""

from __future__ import annotations

from typing import Any

import pytest

from fechatter.model import ChatId
from tests.accounts.conftest import Api, Session

CROWD = 2_000


def default_channel_of(who: Session) -> ChatId:
    return ChatId(who["workspace"]["default_chat_id"])


async def chats_of(api: Api, who: Session) -> list[dict[str, Any]]:
    return list((await api.ask(who, "GET", "/api/chat")).json()["items"])


async def set_default_channel(api: Api, who: Session, chat_id: object) -> int:
    return (await api.ask(who, "PATCH", "/api/workspace", {"default_chat_id": chat_id})).status_code


async def create_channel(api: Api, who: Session, name: str, kind: str = "public_channel") -> dict[str, Any]:
    return api.created(await api.ask(who, "POST", "/api/chat", {"chat_type": kind, "name": name}))


async def test_a_new_workspace_has_a_default_channel_owned_by_its_owner(api: Api) -> None:
    owner = await api.owner()
    (chat,) = await chats_of(api, owner)
    assert (chat["id"], chat["name"], chat["chat_type"]) == (default_channel_of(owner), "general", "public_channel")
    assert (chat["owner_id"], chat["member_count"]) == (owner["user"]["id"], 1)
    for path in ("/api/workspace", "/api/sync"):
        shown = (await api.ask(owner, "GET", path)).json()
        assert shown.get("workspace", shown) == owner["workspace"]


@pytest.mark.parametrize(("role", "joins"), [("admin", True), ("member", True), ("guest", False)])
async def test_everybody_except_guests_joins_and_the_others_get_the_event(api: Api, role: str, joins: bool) -> None:
    owner = await api.owner()
    cursor = (await api.ask(owner, "GET", "/api/sync")).json()["cursor"]
    newcomer = await api.colleague(owner, role)
    assert [chat["id"] for chat in await chats_of(api, newcomer)] == ([default_channel_of(owner)] if joins else [])
    assert default_channel_of(newcomer) == default_channel_of(owner)
    received = (await api.ask(owner, "GET", f"/api/events?after={cursor}")).json()["events"]
    assert [event["type"] for event in received] == ["user.joined"] + ["member.joined"] * joins


async def test_a_guest_who_becomes_a_member_joins_the_default_channel_once(api: Api) -> None:
    owner = await api.owner()
    guest = await api.colleague(owner, "guest")
    path = f"/api/users/{guest['user']['id']}"
    await api.ask(owner, "PATCH", path, {"role": "member"})
    assert [chat["id"] for chat in await chats_of(api, guest)] == [default_channel_of(owner)]
    await api.ask(guest, "POST", f"/api/chat/{default_channel_of(owner)}/leave")
    await api.ask(owner, "PATCH", path, {"role": "admin"})
    assert await chats_of(api, guest) == []


async def test_nobody_joins_an_archived_default_channel_and_a_deleted_one_is_unset(api: Api) -> None:
    owner = await api.owner()
    path = f"/api/chat/{default_channel_of(owner)}"
    await api.ask(owner, "PATCH", path, {"name": "lobby", "archived": True})
    assert await chats_of(api, await api.colleague(owner)) == []
    await api.ask(owner, "PATCH", path, {"archived": False})
    assert [chat["name"] for chat in await chats_of(api, await api.colleague(owner))] == ["lobby"]
    cursor = (await api.ask(owner, "GET", "/api/sync")).json()["cursor"]
    await api.ask(owner, "DELETE", path)
    received = (await api.ask(owner, "GET", f"/api/events?after={cursor}")).json()["events"]
    assert [event["type"] for event in received] == ["chat.deleted", "workspace.updated"]
    assert received[1]["data"]["workspace"]["default_chat_id"] is None
    newcomer = await api.colleague(owner)
    assert (await chats_of(api, newcomer), newcomer["workspace"]["default_chat_id"]) == ([], None)


async def test_the_first_to_join_an_empty_channel_becomes_its_owner(api: Api) -> None:
    owner = await api.owner()
    await api.ask(owner, "POST", f"/api/chat/{default_channel_of(owner)}/leave")
    newcomer = await api.colleague(owner)
    (chat,) = await chats_of(api, newcomer)
    assert (chat["owner_id"], chat["member_count"]) == (newcomer["user"]["id"], 1)


async def test_admins_can_set_another_default_channel_or_none(api: Api) -> None:
    owner = await api.owner()
    admin, member = await api.colleague(owner, "admin"), await api.colleague(owner)
    chosen = await create_channel(api, owner, "news")
    assert await set_default_channel(api, member, chosen["id"]) == 403
    assert await set_default_channel(api, admin, chosen["id"]) == 200
    assert [chat["id"] for chat in await chats_of(api, await api.colleague(owner))] == [chosen["id"]]
    assert await set_default_channel(api, admin, None) == 200
    assert await chats_of(api, await api.colleague(owner)) == []
    acts = (await api.ask(owner, "GET", "/api/audit")).json()["items"]
    assert [act["after"] for act in acts if act["action"] == "workspace.default_channel_chosen"] in (
        [{"default_chat_id": chosen["id"]}, {"default_chat_id": None}],
        [{"default_chat_id": None}, {"default_chat_id": chosen["id"]}],
    )


async def test_only_an_open_public_channel_of_the_workspace_can_be_the_default(api: Api) -> None:
    owner, other = await api.owner(), await api.owner()
    private = await create_channel(api, owner, "inner circle", "private_channel")
    archived = await create_channel(api, owner, "old news")
    await api.ask(owner, "PATCH", f"/api/chat/{archived['id']}", {"archived": True})
    for chat_id in (private["id"], archived["id"], default_channel_of(other), 1, 0, -1, "1", 2**53):
        assert await set_default_channel(api, owner, chat_id) == 422, chat_id
    assert (await api.ask(owner, "GET", "/api/workspace")).json() == owner["workspace"]


async def test_joining_a_channel_costs_the_same_however_many_members_it_has(api: Api) -> None:
    """The size of the events does not grow with the number of members."""
    owner = await api.owner()
    sizes = []
    for _ in range(2):
        cursor = (await api.ask(owner, "GET", "/api/sync")).json()["cursor"]
        for _ in range(8):
            await api.colleague(owner)
        page = await api.ask(owner, "GET", f"/api/events?after={cursor}")
        sizes.append(len(page.content))
        await add_many_members(api, owner)
    assert sizes[1] < 1.5 * sizes[0]


async def add_many_members(api: Api, owner: Session) -> None:
    """Insert many members as rows."""
    workspace_id, chat_id = owner["workspace"]["id"], default_channel_of(owner)

    async def work(tx: Any) -> None:
        for _ in range(CROWD):
            user_id = await tx.new_id()
            await tx.execute(_USER, user_id, workspace_id, f"crowd{user_id}")
            await tx.execute(_MEMBER, chat_id, user_id, workspace_id)
        await tx.execute("UPDATE chats SET member_count = member_count + $2 WHERE id = $1", chat_id, CROWD)

    await api.database.write_unlocked(work)


_USER = """
INSERT INTO users (id, workspace_id, email, email_key, password_hash, fullname, handle, handle_key, role, created_at)
VALUES ($1, $2, $3, $3, '', $3, $3, $3, 'member', 0)"""
_MEMBER = """
INSERT INTO memberships (chat_id, user_id, workspace_id, role, joined_seq, joined_at)
VALUES ($1, $2, $3, 'member', 1, 0)"""
