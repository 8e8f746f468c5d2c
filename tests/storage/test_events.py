"""The event log: contents as of each number, and what one person is shown of it."""

from __future__ import annotations

from typing import Any

import orjson

from fechatter.chats import change, membership
from fechatter.events import EventType
from fechatter.frames import Frame, block_json
from fechatter.messages import changes
from fechatter.model import Actor, ChatId, Role
from fechatter.storage import events
from fechatter.storage.engines.base import Database
from tests import world
from tests.contracts.rows import Sending, by_place, store


def shown(frame: Frame) -> dict[str, Any]:
    event: dict[str, Any] = orjson.loads(block_json(frame.block))
    return event


async def message(database: Database, who: Actor, chat_id: ChatId, content: str) -> int:
    """Send; returns the message's id."""
    return by_place(await store(database, [Sending(who, chat_id, content)]))[0][0]


async def visible(database: Database, who: Actor, after: int = 0, limit: int = 100) -> list[tuple[str, int]]:
    """Type and number of what the person is shown."""
    head = (await database.read(lambda tx: events.heads(tx, who.workspace_id))).head
    guest = who.role is Role.GUEST
    frames = await database.read(lambda tx: events.load_visible(tx, who.workspace_id, after, head, who.user_id, guest=guest, limit=limit))
    return [(frame.type.value, frame.seq) for frame in frames]


async def contents(database: Database, workspace_id: int, after: int) -> list[tuple[str, int, str | None]]:
    frames = await database.read(lambda tx: events.load(tx, workspace_id, after, 1000))  # type: ignore[arg-type]
    told = [shown(frame)["data"]["message"] for frame in frames]
    return [(each["content"], each["revision"], each["edited_at"] and "edited") for each in told]


async def test_each_event_of_a_message_shows_it_as_it_was_then(database: Database) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    sent = await message(database, alice, chat_id, "one")
    await world.do(database, changes.edit, alice, chat_id, sent, "two")
    await message(database, bob, chat_id, "between")
    await world.do(database, changes.edit, alice, chat_id, sent, "three")
    assert await contents(database, alice.workspace_id, 2) == [
        ("one", 1, None),
        ("two", 2, "edited"),
        ("between", 1, None),
        ("three", 3, "edited"),
    ]


async def test_nothing_shows_the_content_of_a_deleted_message(database: Database) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice)
    sent = await message(database, alice, chat_id, "secret one")
    await world.do(database, changes.edit, alice, chat_id, sent, "secret two")
    await world.do(database, membership.add, alice, chat_id, [bob.user_id])
    await world.do(database, changes.delete, alice, chat_id, sent)
    frames = await database.read(lambda tx: events.load(tx, alice.workspace_id, 0, 1000))
    assert not any(b"secret" in frame.block or b"secret" in (frame.own_block or b"") for frame in frames)
    rows = await database.read(lambda tx: tx.fetch("SELECT content FROM message_versions WHERE message_id = $1", sent))
    assert list(rows) == []


async def test_the_one_who_joins_is_shown_the_chat_as_of_the_joining(database: Database) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice)
    sent = await message(database, alice, chat_id, "before")
    await world.do(database, membership.add, alice, chat_id, [bob.user_id])
    await world.do(database, changes.edit, alice, chat_id, sent, "after")
    (joined,) = await database.read(lambda tx: events.load(tx, alice.workspace_id, 2, 3))
    own = orjson.loads(block_json(joined.block_for(bob.user_id)))["data"]["chat"]
    assert (own["last_message"]["content"], own["last_number"], own["unread_count"]) == ("before", 1, 0)
    others = shown(joined)["data"]["chat"]
    assert set(others) == {"id", "member_count", "members", "owner_id", "updated_at"}
    assert joined.block_for(alice.user_id) == joined.block


async def test_a_person_is_shown_its_chats_from_joining_on_and_of_others_only_the_end(database: Database) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice)  # 1
    await message(database, alice, chat_id, "before bob")  # 2
    await world.do(database, membership.add, alice, chat_id, [bob.user_id])  # 3
    await message(database, alice, chat_id, "with bob")  # 4
    assert await visible(database, bob) == [("member.joined", 3), ("message.created", 4)]
    await world.do(database, membership.remove, alice, chat_id, [bob.user_id])  # 5
    await message(database, alice, chat_id, "without bob")  # 6
    assert await visible(database, bob) == [("member.left", 5)]
    await world.do(database, membership.add, alice, chat_id, [bob.user_id])  # 7
    assert await visible(database, bob) == [("member.joined", 7)]
    await world.do(database, change.delete, alice, chat_id)  # 8
    assert await visible(database, bob) == [("chat.deleted", 8)]
    assert await visible(database, alice) == [("chat.deleted", 8)]


async def test_a_page_of_events_counts_what_is_shown(database: Database) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice)
    for place in range(5):
        await message(database, alice, chat_id, f"text {place}")
    other = await world.chat(database, bob)
    await message(database, bob, other, "bob's")
    assert await visible(database, bob, limit=2) == [("member.joined", 7), ("message.created", 8)]


async def test_a_guest_is_shown_itself_and_the_workspace_but_not_its_people(database: Database) -> None:
    workspace_id = await world.workspace(database)
    alice = await world.person(database, workspace_id, "alice")
    guest = await world.person(database, workspace_id, "guest", Role.GUEST)

    async def change_all(tx: Any, _: Actor) -> None:
        drafts = [
            events.Draft(EventType.USER_UPDATED, user_id=alice.user_id, data=await world.user_data(tx, alice)),
            events.Draft(EventType.USER_UPDATED, user_id=guest.user_id, data=await world.user_data(tx, guest)),
            events.Draft(EventType.WORKSPACE_UPDATED, data=await world.workspace_data(tx, workspace_id)),
            events.Draft(EventType.SESSION_REVOKED, user_id=guest.user_id, session_id=1),
        ]
        await events.append(tx, workspace_id, drafts, rights=True)

    await world.do(database, change_all, alice)
    assert await visible(database, guest) == [("user.updated", 2), ("workspace.updated", 3)]
    assert await visible(database, alice) == [("user.updated", 1), ("user.updated", 2), ("workspace.updated", 3)]


async def test_a_change_of_rights_is_numbered_in_the_workspace(database: Database) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    await message(database, alice, chat_id, "no change of rights")
    heads = await database.read(lambda tx: events.heads(tx, alice.workspace_id))
    assert heads == events.Heads(3, 0, 2, database.era, database.era)
    await world.do(database, membership.remove, alice, chat_id, [bob.user_id])
    assert await database.read(lambda tx: events.heads(tx, alice.workspace_id)) == events.Heads(4, 0, 4, database.era, database.era)
