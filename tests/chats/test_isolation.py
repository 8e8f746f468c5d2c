"""A person from another workspace cannot see or change anything, and nothing is published."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest

from fechatter.chats import change, channels, create, membership, preferences, reading, views
from fechatter.errors import Invalid, NotFound
from fechatter.model import ChatType, Role
from tests.chats.conftest import World

SINGLE, GROUP, PRIVATE, PUBLIC = ChatType
TABLES = ("chats", "timelines", "memberships", "read_marks", "events", "workspaces")


async def all_rows(world: World) -> list[Any]:
    return [sorted(map(repr, await world.rows(f"SELECT * FROM {table}"))) for table in TABLES]


@pytest.mark.parametrize("kind", ChatType)
@pytest.mark.parametrize("role", [Role.OWNER, Role.MEMBER, Role.GUEST])
async def test_a_chat_of_another_workspace_is_not_found(world: World, kind: ChatType, role: Role) -> None:
    alice, bob, carol = await world.people(await world.workspace(), "alice", "bob", "carol")
    others = {SINGLE: [bob], GROUP: [bob, carol], PRIVATE: [bob], PUBLIC: []}[kind]
    chat = await world.create(alice, kind, *others)
    await world.message(chat.id, alice)
    eve = await world.person(await world.workspace("other"), "eve", role)
    before = await all_rows(world)
    attempts: list[Awaitable[object]] = [
        world.see(views.chat_of, eve, chat.id),
        world.see(views.members_of, eve, chat.id, after=0, limit=10),
        world.do(membership.join, eve, chat.id),
        world.do(membership.leave, eve, chat.id),
        world.do(membership.add, eve, chat.id, [eve.user_id]),
        world.do(membership.remove, eve, chat.id, [alice.user_id]),
        world.do(membership.remove, eve, chat.id, [eve.user_id]),
        world.do(membership.remove_one, eve, chat.id, alice.user_id),
        world.do(membership.transfer, eve, chat.id, eve.user_id),
        world.do(change.change, eve, chat.id, change.ChatUpdate(name="ours")),
        world.do(change.delete, eve, chat.id),
        world.do(reading.mark_read, eve, chat.id, 1),
        world.do(preferences.update, eve, chat.id, preferences.PreferencesUpdate(starred=True)),
    ]
    for attempt in attempts:
        with pytest.raises(NotFound) as error:
            await attempt
        assert error.value.detail == NotFound().detail
    assert await all_rows(world) == before
    assert world.signals == []


async def test_people_of_another_workspace_are_unknown(world: World) -> None:
    alice, bob = await world.people(await world.workspace(), "alice", "bob")
    eve = await world.person(await world.workspace("other"), "eve")
    private = await world.create(alice, PRIVATE)
    before = await all_rows(world)
    for attempt in (
        world.create(alice, SINGLE, eve),
        world.create(alice, GROUP, bob, eve),
        world.create(alice, PRIVATE, eve),
        world.do(membership.add, alice, private.id, [eve.user_id]),
    ):
        with pytest.raises(Invalid) as error:
            await attempt
        assert {each.code for each in error.value.errors} == {"unknown_user"}
    with pytest.raises(NotFound):
        await world.do(membership.transfer, alice, private.id, eve.user_id)
    assert await all_rows(world) == before


async def test_names_keys_and_lists_are_separate_per_workspace(world: World) -> None:
    alice = await world.person(await world.workspace(), "alice")
    eve = await world.person(await world.workspace("other"), "eve")
    for person in (alice, eve):
        wanted = create.WantedChat(PUBLIC, "News", idempotency_key="k1")
        assert (await world.do(create.create, person, wanted)).new
        assert len(await world.see(views.chats_of, person, limit=10)) == 1
        assert len(await world.see(channels.channels_of, person, "news", after=0, limit=10)) == 1
    assert [event["workspace_id"] for event in world.events()] == [alice.workspace_id, eve.workspace_id]
