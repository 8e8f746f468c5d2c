"""Creating chats of each kind."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fechatter.chats import change, create, membership
from fechatter.chats.create import WantedChat
from fechatter.errors import Conflict, Forbidden, Invalid, NotFound
from fechatter.model import Actor, ChatType, Role
from tests.chats.conftest import World

SINGLE, GROUP, PRIVATE, PUBLIC = ChatType


def error_codes(error: pytest.ExceptionInfo[Invalid]) -> list[tuple[str, str]]:
    return [(each.pointer, each.code) for each in error.value.errors]


async def test_a_single_chat_is_the_same_for_both_people(world: World) -> None:
    alice, bob = await world.people(await world.workspace(), "alice", "bob")
    first = await world.do(create.create, alice, WantedChat(SINGLE, members=[bob.user_id]))
    again = await world.do(create.create, alice, WantedChat(SINGLE, members=[bob.user_id]))
    back = await world.do(create.create, bob, WantedChat(SINGLE, members=[alice.user_id]))
    assert first.new
    assert not again.new
    assert not back.new
    assert {again.chat.id, back.chat.id} == {first.chat.id}
    assert [user.handle for user in first.chat.members] == ["alice", "bob"]
    assert (first.chat.member_count, first.chat.name, first.chat.owner_id) == (2, None, alice.user_id)


async def test_two_people_who_open_their_single_chat_at_once_get_one_chat(world: World) -> None:
    alice, bob = await world.people(await world.workspace(), "alice", "bob")
    created = await asyncio.gather(
        *(
            world.do(create.create, one, WantedChat(SINGLE, members=[other.user_id]))
            for one, other in [(alice, bob), (bob, alice)] * 8
        )
    )
    assert len({each.chat.id for each in created}) == 1
    assert sum(each.new for each in created) == 1
    assert await world.rows("SELECT COUNT(*) FROM chats WHERE workspace_id = $1", alice.workspace_id) == [(1,)]
    assert len(world.events()) == 2


async def test_of_many_concurrent_requests_for_one_name_one_succeeds(world: World) -> None:
    people = await world.people(await world.workspace(), "alice", "bob", "carol", "dave")
    created = await asyncio.gather(*(world.create(one, PUBLIC, name="News") for one in people), return_exceptions=True)
    assert sum(not isinstance(each, BaseException) for each in created) == 1
    assert {each.code for each in created if isinstance(each, Conflict)} == {"name_taken"}


@pytest.mark.parametrize("name", ["news", "NEWS", "ｎｅｗｓ", " News "])
async def test_public_names_are_compared_by_their_folded_key(world: World, name: str) -> None:
    alice, bob = await world.people(await world.workspace(), "alice", "bob")
    taken = await world.create(alice, PUBLIC, name="News")
    with pytest.raises(Conflict):
        await world.create(bob, PUBLIC, name=name)
    assert (await world.create(bob, PRIVATE, name=name)).name == name
    await world.do(change.delete, alice, taken.id)
    assert (await world.create(bob, PUBLIC, name=name)).name == name


@pytest.mark.parametrize(
    ("chat_type", "named", "errors"),
    [
        (SINGLE, {"members": []}, [("/members", "too_few")]),
        (SINGLE, {"members": ["bob", "carol"]}, [("/members", "too_many")]),
        (SINGLE, {"members": ["alice"]}, [("/members/0", "oneself")]),
        (SINGLE, {"members": ["bob"], "name": "us"}, [("/name", "not_allowed")]),
        (GROUP, {"members": ["bob"]}, [("/members", "too_few")]),
        (GROUP, {"members": ["bob", "bob", "alice"]}, [("/members", "too_few")]),
        (PRIVATE, {"members": []}, [("/name", "missing")]),
        (PUBLIC, {"name": "news", "members": ["bob"]}, [("/members", "not_allowed")]),
        (PUBLIC, {"name": " \t "}, [("/name", "blank")]),
        (PUBLIC, {"name": "a\x00b"}, [("/name", "control_character")]),
        (PUBLIC, {"name": "a\u202eb"}, [("/name", "control_character")]),
        (PUBLIC, {"name": "a" * 129}, [("/name", "too_long")]),
        (PUBLIC, {"name": "ﷺ" * 128}, [("/name", "too_long")]),
        (PUBLIC, {"name": "news", "description": "a" * 1001}, [("/description", "too_long")]),
        (PUBLIC, {"name": "news", "idempotency_key": ""}, [("/idempotency_key", "invalid_key")]),
        (PUBLIC, {"name": "", "description": "\x07"}, [("/name", "blank"), ("/description", "control_character")]),
        (PRIVATE, {"name": "news", "members": ["bob", "disabled"]}, [("/members/1", "unknown_user")]),
        (
            GROUP,
            {"members": ["bob", "stranger", "bot"]},
            [("/members/1", "unknown_user"), ("/members/2", "unknown_user")],
        ),
    ],
)
async def test_invalid_requests_are_refused_and_create_nothing(
    world: World, chat_type: ChatType, named: dict[str, Any], errors: list[tuple[str, str]]
) -> None:
    workspace_id = await world.workspace()
    people: dict[str, Actor] = {
        each: await world.person(workspace_id, each) for each in ("alice", "bob", "carol", "disabled")
    }
    people["bot"] = await world.person(workspace_id, "bot", kind="bot")
    people["stranger"] = await world.person(await world.workspace("other"), "stranger")
    await world.disable(people["disabled"].user_id)
    values = {**named, "members": [people[name].user_id for name in named.get("members", [])]}
    with pytest.raises(Invalid) as error:
        await world.do(create.create, people["alice"], WantedChat(chat_type, **values))
    assert error_codes(error) == errors
    assert await world.rows("SELECT id FROM chats WHERE workspace_id = $1", workspace_id) == []
    assert world.events() == []


async def test_a_repeat_with_the_same_key_returns_the_chat_and_another_request_conflicts(world: World) -> None:
    alice, bob = await world.people(await world.workspace(), "alice", "bob")
    wanted = WantedChat(PUBLIC, "news", idempotency_key="k1")
    first = await world.do(create.create, alice, wanted)
    again = await world.do(create.create, alice, wanted)
    assert (again.new, again.chat) == (False, first.chat)
    with pytest.raises(Conflict, match="key") as error:
        await world.do(create.create, alice, WantedChat(PUBLIC, "other", idempotency_key="k1"))
    assert error.value.code == "idempotency_conflict"
    assert (await world.do(create.create, bob, WantedChat(PUBLIC, "bob's", idempotency_key="k1"))).new
    await world.do(membership.leave, alice, first.chat.id)
    with pytest.raises(NotFound):
        await world.do(create.create, alice, wanted)


async def test_concurrent_requests_with_one_key_create_one_chat(world: World) -> None:
    (alice,) = await world.people(await world.workspace(), "alice")
    wanted = WantedChat(PRIVATE, "plans", idempotency_key="k1")
    created = await asyncio.gather(*(world.do(create.create, alice, wanted) for _ in range(8)))
    assert len({each.chat.id for each in created}) == 1


async def test_guests_cannot_create_channels_and_can_invite_only_people_they_have_met(world: World) -> None:
    workspace_id = await world.workspace()
    alice, bob = await world.people(workspace_id, "alice", "bob")
    guest = await world.person(workspace_id, "guest", Role.GUEST)
    for kind in (PRIVATE, PUBLIC):
        with pytest.raises(Forbidden):
            await world.create(guest, kind)
    with pytest.raises(Invalid):
        await world.create(guest, SINGLE, alice)
    await world.create(alice, GROUP, bob, guest)
    assert (await world.create(guest, SINGLE, alice)).member_count == 2


async def test_creation_publishes_one_event_per_member(world: World) -> None:
    alice, bob, carol = await world.people(await world.workspace(), "alice", "bob", "carol")
    chat = await world.create(alice, GROUP, bob, carol)
    frames = list(world.frames)
    events = world.events()
    assert [event["type"] for event in events] == ["member.joined"] * 3
    assert [event["seq"] for event in events] == [1, 2, 3]
    assert [event["data"]["member"]["user_id"] for event in events] == [alice.user_id, bob.user_id, carol.user_id]
    assert [event["data"]["member"]["role"] for event in events] == ["owner", "member", "member"]
    assert {event["data"]["chat"]["member_count"] for event in events} == {3}
    assert all(frame.own_block is not None for frame in frames)
    seqs = await world.rows(
        "SELECT user_id, joined_seq FROM memberships WHERE chat_id = $1 ORDER BY joined_seq", chat.id
    )
    assert seqs == [(alice.user_id, 1), (bob.user_id, 2), (carol.user_id, 3)]
