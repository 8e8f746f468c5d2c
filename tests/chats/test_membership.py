"""Joining, leaving, adding, removing and transferring the ownership of chats."""

from __future__ import annotations

import asyncio

import msgspec
import orjson
import pytest

from fechatter.chats import change, create, membership, reading, views
from fechatter.errors import Forbidden, Invalid, NotFound
from fechatter.frames import block_json
from fechatter.model import Actor, ChatId, ChatType, Role, UserId
from tests.chats.conftest import World

SINGLE, GROUP, PRIVATE, PUBLIC = ChatType


async def membership_rows(world: World, chat_id: ChatId) -> dict[int, tuple[str, int, int | None]]:
    rows = await world.rows("SELECT user_id, role, joined_seq, left_seq FROM memberships WHERE chat_id = $1", chat_id)
    return {user_id: (role, joined, left) for user_id, role, joined, left in rows}


async def present(world: World, actor: Actor, chat_id: ChatId) -> list[tuple[int, str]]:
    members = await world.see(views.members_of, actor, chat_id, after=0, limit=100)
    return [(member.user_id, member.role) for member in members]


async def test_memberships_keep_the_numbers_of_joining_and_leaving(world: World) -> None:
    alice, bob = await world.people(await world.workspace(), "alice", "bob")
    chat = await world.create(alice, PUBLIC)
    joined = await world.do(membership.join, bob, chat.id)
    assert (joined.member_count, [user.handle for user in joined.members]) == (2, ["alice", "bob"])
    await world.do(membership.leave, bob, chat.id)
    assert (await membership_rows(world, chat.id))[bob.user_id] == ("member", 2, 3)
    with pytest.raises(NotFound):
        await world.chat(bob, chat.id)
    await world.do(membership.join, bob, chat.id)
    assert (await membership_rows(world, chat.id))[bob.user_id] == ("member", 4, None)
    assert [(event["seq"], event["type"]) for event in world.events()] == [
        (1, "member.joined"),
        (2, "member.joined"),
        (3, "member.left"),
        (4, "member.joined"),
    ]
    assert await world.rows("SELECT event_seq, rights_seq FROM workspaces WHERE id = $1", bob.workspace_id) == [(4, 4)]


async def test_joining_twice_returns_the_chat(world: World) -> None:
    alice, bob = await world.people(await world.workspace(), "alice", "bob")
    chat = await world.create(alice, PUBLIC)
    await asyncio.gather(*(world.do(membership.join, bob, chat.id) for _ in range(6)))
    assert (await world.chat(alice, chat.id)).member_count == 2
    assert len(world.events()) == 2


async def test_a_new_member_has_read_everything_and_gets_the_whole_chat(world: World) -> None:
    alice, bob = await world.people(await world.workspace(), "alice", "bob")
    chat = await world.create(alice, PUBLIC)
    for text in ("one", "two"):
        await world.message(chat.id, alice, text)
    world.frames.clear()
    joined = await world.do(membership.join, bob, chat.id)
    assert (joined.last_number, joined.last_read_number, joined.unread_count) == (2, 2, 0)
    assert joined.last_message is not None
    assert joined.last_message.content == "two"
    (frame,) = world.frames
    own = orjson.loads(block_json(frame.block_for(bob.user_id)))
    others = orjson.loads(block_json(frame.block_for(alice.user_id)))
    assert own["data"]["chat"] == msgspec.to_builtins(await world.chat(bob, chat.id))
    assert set(others["data"]["chat"]) == {"id", "member_count", "members", "owner_id", "updated_at"}
    assert others["data"]["member"] == own["data"]["member"]
    assert own["data"]["member"]["user"] == {
        "id": bob.user_id,
        "handle": "bob",
        "fullname": "bob",
        "avatar_url": None,
    }


async def test_only_public_channels_can_be_joined_and_hidden_ones_are_not_found(world: World) -> None:
    workspace_id = await world.workspace()
    alice, bob, carol, dave = await world.people(workspace_id, "alice", "bob", "carol", "dave")
    guest = await world.person(workspace_id, "guest", Role.GUEST)
    public = await world.create(alice, PUBLIC)
    hidden = [
        await world.create(alice, SINGLE, bob),
        await world.create(alice, GROUP, bob, carol),
        await world.create(alice, PRIVATE, bob),
    ]
    for chat_id in [*(chat.id for chat in hidden), ChatId(999_999)]:
        with pytest.raises(NotFound) as error:
            await world.do(membership.join, dave, chat_id)
        assert error.value.detail == NotFound().detail
    with pytest.raises(NotFound):
        await world.do(membership.join, guest, public.id)
    await world.do(change.change, alice, public.id, change.ChatUpdate(archived=True))
    with pytest.raises(Forbidden) as archived:
        await world.do(membership.join, dave, public.id)
    assert archived.value.code == "chat_archived"


async def test_members_can_add_others_and_only_new_members_are_returned(world: World) -> None:
    alice, bob, carol = await world.people(await world.workspace(), "alice", "bob", "carol")
    chat = await world.create(alice, PRIVATE, bob)
    added = await world.do(membership.add, bob, chat.id, [carol.user_id, alice.user_id, carol.user_id])
    assert [(member.user_id, member.role) for member in added] == [(carol.user_id, "member")]
    assert await world.do(membership.add, bob, chat.id, [carol.user_id]) == []
    assert (await world.chat(carol, chat.id)).member_count == 3


async def test_unknown_and_foreign_people_are_refused_alike_and_nobody_is_added(world: World) -> None:
    workspace_id = await world.workspace()
    alice, bob = await world.people(workspace_id, "alice", "bob")
    stranger = await world.person(await world.workspace("other"), "stranger")
    chat = await world.create(alice, PRIVATE)
    for function in (membership.add, membership.remove):
        with pytest.raises(Invalid) as error:
            await world.do(function, alice, chat.id, [alice.user_id, stranger.user_id, 999_999])
        assert [(each.pointer, each.code) for each in error.value.errors] == [
            ("/members/1", "unknown_user"),
            ("/members/2", "unknown_user"),
        ]
    for named in ([], list(range(1, 1002))):
        with pytest.raises(Invalid):
            await world.do(membership.add, alice, chat.id, named)
    assert (await world.chat(alice, chat.id)).member_count == 1
    assert bob.user_id not in await membership_rows(world, chat.id)


async def test_a_removed_member_sees_nothing_and_a_repeated_removal_has_no_effect(world: World) -> None:
    alice, bob, carol = await world.people(await world.workspace(), "alice", "bob", "carol")
    chat = await world.create(alice, GROUP, bob, carol)
    world.events()
    await world.do(membership.remove, alice, chat.id, [bob.user_id])
    await world.do(membership.remove, alice, chat.id, [bob.user_id])
    (event,) = world.events()
    assert (event["type"], event["data"]["member"]) == ("member.left", {"user_id": bob.user_id})
    assert event["data"]["chat"]["member_count"] == 2
    for function in (views.chat_of, membership.leave, change.delete):
        with pytest.raises(NotFound):
            await world.do(function, bob, chat.id)
    with pytest.raises(NotFound):
        await world.do(membership.remove_one, alice, chat.id, bob.user_id)


async def test_members_cannot_remove_others_but_admins_in_the_chat_can(world: World) -> None:
    workspace_id = await world.workspace()
    alice, bob, carol = await world.people(workspace_id, "alice", "bob", "carol")
    inside = await world.person(workspace_id, "inside", Role.ADMIN)
    outside = await world.person(workspace_id, "outside", Role.OWNER)
    chat = await world.create(alice, PRIVATE, bob, carol, inside)
    with pytest.raises(Forbidden):
        await world.do(membership.remove, bob, chat.id, [carol.user_id])
    with pytest.raises(Forbidden):
        await world.do(membership.remove, bob, chat.id, [bob.user_id, carol.user_id])
    with pytest.raises(NotFound):
        await world.do(membership.remove, outside, chat.id, [carol.user_id])
    await world.do(membership.remove_one, bob, chat.id, bob.user_id)
    await world.do(membership.remove, inside, chat.id, [carol.user_id, alice.user_id])
    assert await present(world, inside, chat.id) == [(inside.user_id, "owner")]


async def test_a_single_chat_cannot_be_left_or_changed(world: World) -> None:
    alice, bob, carol = await world.people(await world.workspace(), "alice", "bob", "carol")
    chat = await world.create(alice, SINGLE, bob)
    attempts = [
        world.do(membership.leave, alice, chat.id),
        world.do(membership.add, alice, chat.id, [carol.user_id]),
        world.do(membership.remove, alice, chat.id, [bob.user_id]),
        world.do(membership.transfer, alice, chat.id, bob.user_id),
        world.do(change.change, alice, chat.id, change.ChatUpdate(name="us")),
        world.do(change.change, alice, chat.id, change.ChatUpdate(archived=True)),
        world.do(change.delete, alice, chat.id),
    ]
    for attempt in attempts:
        with pytest.raises(Forbidden):
            await attempt
    assert (await world.chat(bob, chat.id)).member_count == 2


async def test_the_longest_active_member_becomes_owner_when_the_owner_leaves(world: World) -> None:
    workspace_id = await world.workspace()
    guest = await world.person(workspace_id, "guest", Role.GUEST)
    alice, gone, bob, carol = await world.people(workspace_id, "alice", "gone", "bob", "carol")
    chat = await world.create(alice, GROUP, guest, gone, carol)
    await world.do(membership.add, alice, chat.id, [bob.user_id])
    await world.disable(gone.user_id)
    world.events()
    await world.do(membership.leave, alice, chat.id)
    left, changed = world.events()
    assert (left["type"], changed["type"]) == ("member.left", "member.role_changed")
    assert changed["data"]["member"] == {"user_id": carol.user_id, "role": "owner"}
    assert changed["data"]["chat"]["owner_id"] == carol.user_id
    assert (await world.chat(bob, chat.id)).owner_id == carol.user_id
    rows = await membership_rows(world, chat.id)
    assert [user_id for user_id, row in rows.items() if row[0] == "owner"] == [carol.user_id]


async def test_an_empty_private_chat_is_deleted_and_an_empty_public_one_waits_for_an_owner(world: World) -> None:
    alice, bob = await world.people(await world.workspace(), "alice", "bob")
    private, public = await world.create(alice, PRIVATE), await world.create(alice, PUBLIC)
    world.events()
    for chat in (private, public):
        await world.do(membership.leave, alice, chat.id)
    assert [(event["type"], event["chat_id"]) for event in world.events()] == [
        ("member.left", private.id),
        ("chat.deleted", private.id),
        ("member.left", public.id),
    ]
    joined = await world.do(membership.join, bob, public.id)
    assert (joined.owner_id, joined.member_count) == (bob.user_id, 1)
    assert await present(world, bob, public.id) == [(bob.user_id, "owner")]


async def test_ownership_can_be_transferred_to_active_members_only(world: World) -> None:
    alice, bob, carol, dave = await world.people(await world.workspace(), "alice", "bob", "carol", "dave")
    chat = await world.create(alice, GROUP, bob, carol)
    world.events()
    new = await world.do(membership.transfer, alice, chat.id, bob.user_id)
    assert (new.user_id, new.role) == (bob.user_id, "owner")
    assert [event["data"]["member"] for event in world.events()] == [
        {"user_id": alice.user_id, "role": "member"},
        {"user_id": bob.user_id, "role": "owner"},
    ]
    with pytest.raises(Forbidden):
        await world.do(membership.transfer, alice, chat.id, alice.user_id)
    await world.do(membership.transfer, bob, chat.id, bob.user_id)
    assert world.events() == []
    await world.disable(carol.user_id)
    for user_id in (carol.user_id, dave.user_id, UserId(999_999)):
        with pytest.raises(NotFound):
            await world.do(membership.transfer, bob, chat.id, user_id)


async def test_concurrent_leaves_and_transfers_leave_exactly_one_owner(world: World) -> None:
    alice, bob, carol = await world.people(await world.workspace(), "alice", "bob", "carol")
    for _ in range(5):
        chat = await world.create(alice, GROUP, bob, carol)
        await asyncio.gather(
            world.do(membership.leave, alice, chat.id),
            world.do(membership.transfer, alice, chat.id, carol.user_id),
            world.do(membership.leave, bob, chat.id),
            return_exceptions=True,
        )
        assert await present(world, carol, chat.id) == [(carol.user_id, "owner")]
        assert (await world.chat(carol, chat.id)).owner_id == carol.user_id


async def test_member_count_and_event_numbers_are_right_after_concurrent_changes(world: World) -> None:
    people = await world.people(await world.workspace(), *(f"person{number}" for number in range(8)))
    chat = await world.create(people[0], PUBLIC)
    functions = [membership.join, membership.leave, membership.join]
    await asyncio.gather(
        *(world.do(function, person, chat.id) for function in functions for person in people[1:]),
        return_exceptions=True,
    )
    here = await present(world, people[0], chat.id)
    assert (await world.chat(people[0], chat.id)).member_count == len(here)
    seqs = [event["seq"] for event in world.events()]
    assert sorted(seqs) == list(range(1, len(seqs) + 1))


async def test_a_page_of_members_continues_after_the_previous_one(world: World) -> None:
    people = await world.people(await world.workspace(), *(f"person{number}" for number in range(10)))
    chat = await world.create(people[0], GROUP, *people[1:])
    first = await world.see(views.members_of, people[3], chat.id, after=0, limit=6)
    rest = await world.see(views.members_of, people[3], chat.id, after=first[-1].user_id, limit=6)
    assert [member.user_id for member in first + rest] == [person.user_id for person in people]
    assert len(chat.members) == 8


async def test_many_people_can_be_added_and_removed_in_one_request(world: World) -> None:
    workspace_id = await world.workspace()
    alice = await world.person(workspace_id, "alice")
    chat = await world.create(alice, PRIVATE)
    await world.message(chat.id, alice)
    people = await world.people(workspace_id, *(f"person{number}" for number in range(200)))
    added = await world.do(membership.add, alice, chat.id, [person.user_id for person in people])
    assert len(added) == 200
    assert (await world.chat(people[-1], chat.id)).unread_count == 0
    await world.do(membership.remove, alice, chat.id, [person.user_id for person in people])
    assert (await world.chat(alice, chat.id)).member_count == 1


async def test_a_former_member_cannot_move_a_read_mark(world: World) -> None:
    alice, bob = await world.people(await world.workspace(), "alice", "bob")
    chat = (await world.do(create.create, alice, create.WantedChat(PRIVATE, "x", members=[bob.user_id]))).chat
    await world.do(membership.leave, bob, chat.id)
    with pytest.raises(NotFound):
        await world.do(reading.mark_read, bob, chat.id, 0)
