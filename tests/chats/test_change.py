"""Changing, archiving and deleting chats, and the directory of channels."""

from __future__ import annotations

import asyncio

import pytest

from fechatter.chats import change, channels, membership, reading, views
from fechatter.chats.change import ChatUpdate
from fechatter.errors import Conflict, Forbidden, Invalid, NotFound
from fechatter.model import ChatType, Role
from tests.chats.conftest import World

SINGLE, GROUP, PRIVATE, PUBLIC = ChatType


async def test_a_change_is_published_and_a_change_without_effect_is_not(world: World) -> None:
    (alice,) = await world.people(await world.workspace(), "alice")
    chat = await world.create(alice, PUBLIC)
    world.events()
    changed = await world.do(change.change, alice, chat.id, ChatUpdate(name="Plans", description="for\nus"))
    assert (changed.name, changed.description) == ("Plans", "for\nus")
    (event,) = world.events()
    assert event["type"] == "chat.updated"
    assert event["data"]["chat"] == {
        "id": chat.id,
        "chat_type": "public_channel",
        "name": "Plans",
        "description": "for\nus",
        "owner_id": alice.user_id,
        "archived_at": None,
        "updated_at": changed.updated_at,
    }
    await world.do(change.change, alice, chat.id, ChatUpdate(name="Plans"))
    await world.do(change.change, alice, chat.id, ChatUpdate())
    assert world.events() == []


async def test_a_taken_name_is_refused_but_respelling_ones_own_is_not(world: World) -> None:
    alice, bob = await world.people(await world.workspace(), "alice", "bob")
    chat = await world.create(alice, PUBLIC, name="mine")
    await world.create(bob, PUBLIC, name="Taken")
    with pytest.raises(Conflict) as error:
        await world.do(change.change, alice, chat.id, ChatUpdate(name="TAKEN"))
    assert error.value.code == "name_taken"
    assert (await world.do(change.change, alice, chat.id, ChatUpdate(name="MINE"))).name == "MINE"


async def test_of_two_concurrent_renames_to_the_same_name_one_succeeds(world: World) -> None:
    alice, bob = await world.people(await world.workspace(), "alice", "bob")
    one, other = await world.create(alice, PUBLIC, name="one"), await world.create(bob, PUBLIC, name="other")
    done = await asyncio.gather(
        world.do(change.change, alice, one.id, ChatUpdate(name="best")),
        world.do(change.change, bob, other.id, ChatUpdate(name="Best")),
        return_exceptions=True,
    )
    assert sum(isinstance(each, Conflict) for each in done) == 1


async def test_names_are_checked_for_each_kind_of_chat(world: World) -> None:
    alice, bob, carol = await world.people(await world.workspace(), "alice", "bob", "carol")
    channel, group = await world.create(alice, PRIVATE), await world.create(alice, GROUP, bob, carol, name="us")
    for wanted in (
        ChatUpdate(name=None),
        ChatUpdate(name=" "),
        ChatUpdate(description="\x00"),
        ChatUpdate(name="\ud800"),
    ):
        with pytest.raises(Invalid):
            await world.do(change.change, alice, channel.id, wanted)
    assert (await world.do(change.change, alice, group.id, ChatUpdate(name=None))).name is None


async def test_an_archived_chat_is_read_only_until_it_is_unarchived(world: World) -> None:
    alice, bob, carol = await world.people(await world.workspace(), "alice", "bob", "carol")
    chat = await world.create(alice, PRIVATE, bob)
    await world.message(chat.id, alice)
    archived = await world.do(change.change, alice, chat.id, ChatUpdate(archived=True))
    assert archived.archived_at is not None
    assert await world.do(change.change, alice, chat.id, ChatUpdate(archived=True)) == archived
    await world.do(reading.mark_read, bob, chat.id, 1)
    assert (await world.chat(bob, chat.id)).unread_count == 0
    attempts = [
        world.do(membership.add, alice, chat.id, [carol.user_id]),
        world.do(membership.transfer, alice, chat.id, bob.user_id),
        world.do(change.change, alice, chat.id, ChatUpdate(name="new")),
        world.do(change.change, alice, chat.id, ChatUpdate(name="new", archived=True)),
    ]
    for attempt in attempts:
        with pytest.raises(Forbidden) as error:
            await attempt
        assert error.value.code == "chat_archived"
    back = await world.do(change.change, alice, chat.id, ChatUpdate(name="new", archived=False))
    assert (back.name, back.archived_at) == ("new", None)


async def test_archiving_changes_rights_and_renaming_does_not(world: World) -> None:
    (alice,) = await world.people(await world.workspace(), "alice")
    chat = await world.create(alice, PUBLIC)
    await world.do(change.change, alice, chat.id, ChatUpdate(name="new"))
    assert await world.rows("SELECT event_seq, rights_seq FROM workspaces WHERE id = $1", alice.workspace_id) == [
        (2, 1)
    ]
    await world.do(change.change, alice, chat.id, ChatUpdate(archived=True))
    assert await world.rows("SELECT event_seq, rights_seq FROM workspaces WHERE id = $1", alice.workspace_id) == [
        (3, 3)
    ]


async def test_a_deleted_chat_is_hidden_from_everybody(world: World) -> None:
    alice, bob, carol = await world.people(await world.workspace(), "alice", "bob", "carol")
    chat = await world.create(alice, PUBLIC)
    for person in (bob, carol):
        await world.do(membership.join, person, chat.id)
    await world.do(membership.leave, carol, chat.id)
    with pytest.raises(Forbidden):
        await world.do(change.delete, bob, chat.id)
    world.events()
    await world.do(change.delete, alice, chat.id)
    (event,) = world.events()
    assert (event["type"], event["seq"], event["data"]) == ("chat.deleted", 5, {"chat": {"id": chat.id}})
    left = await world.rows("SELECT user_id, left_seq FROM memberships WHERE chat_id = $1 ORDER BY user_id", chat.id)
    assert left == [(alice.user_id, 5), (bob.user_id, 5), (carol.user_id, 4)]
    for person in (alice, bob, carol):
        for function in (views.chat_of, membership.join, change.delete):
            with pytest.raises(NotFound):
                await world.do(function, person, chat.id)
        assert await world.see(views.chats_of, person, limit=10) == []
        assert await world.see(channels.channels_of, person, "", after=0, limit=10) == []


async def test_the_directory_lists_public_channels_and_finds_them_by_name(world: World) -> None:
    workspace_id = await world.workspace()
    alice, bob = await world.people(workspace_id, "alice", "bob")
    guest = await world.person(workspace_id, "guest", Role.GUEST)
    news, sales = await world.create(alice, PUBLIC, name="News"), await world.create(alice, PUBLIC, name="100%_sales")
    await world.create(alice, PRIVATE, name="News behind doors")
    await world.do(membership.add, alice, news.id, [guest.user_id])

    async def found(actor: object, query: str) -> list[tuple[int, bool]]:
        listed = await world.see(channels.channels_of, actor, query, after=0, limit=10)  # type: ignore[arg-type]
        return [(channel.id, channel.joined) for channel in listed]

    assert await found(bob, "") == [(news.id, False), (sales.id, False)]
    assert await found(alice, "NEW") == [(news.id, True)]
    assert await found(bob, "0%_S") == [(sales.id, False)]
    assert await found(bob, "%") == [(sales.id, False)]
    assert await found(bob, "e_s") == []
    assert await found(guest, "") == [(news.id, True)]
    await world.do(change.change, alice, news.id, ChatUpdate(archived=True))
    assert await found(bob, "news") == []
    for query in ("\x00", "a" * 129):
        with pytest.raises(Invalid):
            await found(bob, query)
