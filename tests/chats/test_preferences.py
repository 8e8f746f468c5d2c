"""A person's own preferences for a chat: starred and muted."""

from __future__ import annotations

import pytest

from fechatter.chats import change, membership, preferences
from fechatter.chats.preferences import PreferencesUpdate
from fechatter.errors import NotFound
from fechatter.model import Actor, ChatId, ChatType
from tests.chats.conftest import World

GROUP, PUBLIC = ChatType.GROUP, ChatType.PUBLIC_CHANNEL
STARRED = PreferencesUpdate(starred=True)


async def preferences_of(world: World, actor: Actor, chat_id: ChatId) -> tuple[bool, bool]:
    chat = await world.chat(actor, chat_id)
    return chat.starred, chat.muted


async def test_preferences_are_personal_and_unnamed_ones_stay(world: World) -> None:
    alice, bob, carol = await world.people(await world.workspace(), "alice", "bob", "carol")
    chat = await world.create(alice, GROUP, bob, carol)
    await world.do(preferences.update, bob, chat.id, STARRED)
    await world.do(preferences.update, bob, chat.id, PreferencesUpdate(muted=True))
    assert await preferences_of(world, bob, chat.id) == (True, True)
    await world.do(preferences.update, bob, chat.id, PreferencesUpdate(starred=False))
    assert await preferences_of(world, bob, chat.id) == (False, True)
    assert await preferences_of(world, alice, chat.id) == (False, False)


async def test_a_preference_without_effect_publishes_no_event(world: World) -> None:
    alice, bob, carol = await world.people(await world.workspace(), "alice", "bob", "carol")
    chat = await world.create(alice, GROUP, bob, carol)
    world.frames.clear()
    for change_wanted in (STARRED, STARRED, PreferencesUpdate(), PreferencesUpdate(muted=False)):
        await world.do(preferences.update, bob, chat.id, change_wanted)
    assert [frame.user_id for frame in world.frames] == [bob.user_id]
    (event,) = world.events()
    assert (event["type"], event["chat_id"]) == ("preferences.updated", chat.id)
    assert event["data"] == {"preferences": {"chat_id": chat.id, "starred": True, "muted": False}}


async def test_an_archived_chat_can_be_starred_and_a_deleted_one_is_not_found(world: World) -> None:
    alice, bob, carol = await world.people(await world.workspace(), "alice", "bob", "carol")
    chat = await world.create(alice, GROUP, bob, carol)
    await world.do(change.change, alice, chat.id, change.ChatUpdate(archived=True))
    await world.do(preferences.update, bob, chat.id, STARRED)
    assert await preferences_of(world, bob, chat.id) == (True, False)
    await world.do(change.delete, alice, chat.id)
    with pytest.raises(NotFound):
        await world.do(preferences.update, bob, chat.id, STARRED)
    assert (
        await world.rows("SELECT user_id FROM memberships WHERE chat_id = $1 AND starred + muted <> 0", chat.id) == []
    )


async def test_preferences_end_with_the_membership(world: World) -> None:
    alice, bob, carol = await world.people(await world.workspace(), "alice", "bob", "carol")
    chat = await world.create(alice, PUBLIC)
    with pytest.raises(NotFound):
        await world.do(preferences.update, carol, chat.id, STARRED)
    await world.do(membership.join, bob, chat.id)
    await world.do(preferences.update, bob, chat.id, STARRED)
    await world.do(membership.leave, bob, chat.id)
    with pytest.raises(NotFound):
        await world.do(preferences.update, bob, chat.id, STARRED)
    await world.do(membership.join, bob, chat.id)
    assert await preferences_of(world, bob, chat.id) == (False, False)
