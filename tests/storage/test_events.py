"""The event log: the content as of each number, and the events that one person can see."""

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


def event_of(frame: Frame) -> dict[str, Any]:
    event: dict[str, Any] = orjson.loads(block_json(frame.block))
    return event


async def send_message(database: Database, who: Actor, chat_id: ChatId, content: str) -> int:
    """Send a message and return its id."""
    return by_place(await store(database, [Sending(who, chat_id, content)]))[0][0]


async def visible_events(database: Database, who: Actor, after: int = 0, limit: int = 100) -> list[tuple[str, int]]:
    """Return type and number of the events that the person can see."""
    head = (await database.read(lambda tx: events.heads(tx, who.workspace_id))).head
    guest = who.role is Role.GUEST
    frames = await database.read(
        lambda tx: events.load_visible(tx, who.workspace_id, after, head, who.user_id, guest=guest, limit=limit)
    )
    return [(frame.type.value, frame.seq) for frame in frames]


async def message_states(database: Database, workspace_id: int, after: int) -> list[tuple[str, int, str | None]]:
    frames = await database.read(lambda tx: events.load(tx, workspace_id, after, 1000))  # type: ignore[arg-type]
    messages = [event_of(frame)["data"]["message"] for frame in frames]
    return [(each["content"], each["revision"], each["edited_at"] and "edited") for each in messages]


async def test_each_event_shows_the_message_as_of_its_number(database: Database) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    sent = await send_message(database, alice, chat_id, "one")
    await world.do(database, changes.edit, alice, chat_id, sent, "two")
    await send_message(database, bob, chat_id, "between")
    await world.do(database, changes.edit, alice, chat_id, sent, "three")
    assert await message_states(database, alice.workspace_id, 2) == [
        ("one", 1, None),
        ("two", 2, "edited"),
        ("between", 1, None),
        ("three", 3, "edited"),
    ]


async def test_no_event_shows_the_content_of_a_deleted_message(database: Database) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice)
    sent = await send_message(database, alice, chat_id, "secret one")
    await world.do(database, changes.edit, alice, chat_id, sent, "secret two")
    await world.do(database, membership.add, alice, chat_id, [bob.user_id])
    await world.do(database, changes.delete, alice, chat_id, sent)
    frames = await database.read(lambda tx: events.load(tx, alice.workspace_id, 0, 1000))
    assert not any(b"secret" in frame.block or b"secret" in (frame.own_block or b"") for frame in frames)
    rows = await database.read(lambda tx: tx.fetch("SELECT content FROM message_versions WHERE message_id = $1", sent))
    assert list(rows) == []


async def test_a_new_member_gets_the_chat_as_of_the_joining(database: Database) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice)
    sent = await send_message(database, alice, chat_id, "before")
    await world.do(database, membership.add, alice, chat_id, [bob.user_id])
    await world.do(database, changes.edit, alice, chat_id, sent, "after")
    (joined,) = await database.read(lambda tx: events.load(tx, alice.workspace_id, 2, 3))
    own = orjson.loads(block_json(joined.block_for(bob.user_id)))["data"]["chat"]
    assert (own["last_message"]["content"], own["last_number"], own["unread_count"]) == ("before", 1, 0)
    others = event_of(joined)["data"]["chat"]
    assert set(others) == {"id", "member_count", "members", "owner_id", "updated_at"}
    assert joined.block_for(alice.user_id) == joined.block


async def test_a_person_sees_a_current_chat_from_joining_on_and_a_former_chat_only_at_its_end(
    database: Database,
) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice)  # 1
    await send_message(database, alice, chat_id, "before bob")  # 2
    await world.do(database, membership.add, alice, chat_id, [bob.user_id])  # 3
    await send_message(database, alice, chat_id, "with bob")  # 4
    assert await visible_events(database, bob) == [("member.joined", 3), ("message.created", 4)]
    await world.do(database, membership.remove, alice, chat_id, [bob.user_id])  # 5
    await send_message(database, alice, chat_id, "without bob")  # 6
    assert await visible_events(database, bob) == [("member.left", 5)]
    await world.do(database, membership.add, alice, chat_id, [bob.user_id])  # 7
    assert await visible_events(database, bob) == [("member.joined", 7)]
    await world.do(database, change.delete, alice, chat_id)  # 8
    assert await visible_events(database, bob) == [("chat.deleted", 8)]
    assert await visible_events(database, alice) == [("chat.deleted", 8)]


async def test_a_page_of_events_is_limited_by_visible_events(database: Database) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice)
    for place in range(5):
        await send_message(database, alice, chat_id, f"text {place}")
    other = await world.chat(database, bob)
    await send_message(database, bob, other, "bob's")
    assert await visible_events(database, bob, limit=2) == [("member.joined", 7), ("message.created", 8)]


async def test_a_guest_sees_events_about_themselves_and_the_workspace_only(database: Database) -> None:
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
    assert await visible_events(database, guest) == [("user.updated", 2), ("workspace.updated", 3)]
    assert await visible_events(database, alice) == [("user.updated", 1), ("user.updated", 2), ("workspace.updated", 3)]


async def test_a_change_of_rights_is_recorded_in_the_workspace(database: Database) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    await send_message(database, alice, chat_id, "no change of rights")
    heads = await database.read(lambda tx: events.heads(tx, alice.workspace_id))
    assert heads == events.Heads(3, 0, 2, database.era, database.era)
    await world.do(database, membership.remove, alice, chat_id, [bob.user_id])
    assert await database.read(lambda tx: events.heads(tx, alice.workspace_id)) == events.Heads(
        4, 0, 4, database.era, database.era
    )
