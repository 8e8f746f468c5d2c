"""Events that cannot be read, or that a newer server wrote, do not affect other events in a replay."""

from __future__ import annotations

import pytest

from fechatter.chats import membership
from fechatter.events import EventType, WorkspaceData
from fechatter.frames import Frame, block_json
from fechatter.hub.joining import Start
from fechatter.hub.listener import Listener, Reader
from fechatter.hub.workspace_feed import WorkspaceFeed
from fechatter.model import Position, Workspace
from fechatter.native import Streams
from fechatter.storage import events
from fechatter.storage.engines.base import Database, Transaction
from fechatter.storage.event_types import TYPE_CODES
from tests import world

POISON = {
    "a text that is not JSON": "data = '{'",
    "a list": "data = '[1]'",
    "a number as its own data": """data = '{"data": {}, "own": 1}'""",
    "a number as its chat": """data = '{"data": {}, "own": {"chat": 1}}'""",
    "an unknown type": "type = 99",
    "a time beyond the calendar": "created_at = 9000000000000000",
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON)
async def test_an_unreadable_event_keeps_its_number_and_its_neighbours(database: Database, poison: str) -> None:
    alice, bob = await world.people(database, "alice", "bob")

    async def poisoned(tx: Transaction) -> tuple[int, int]:
        named = [WorkspaceData(Workspace(alice.workspace_id, "w", name, "")) for name in "abc"]
        drafts = [events.Draft(EventType.WORKSPACE_UPDATED, data=data) for data in named]
        first = await events.append(tx, alice.workspace_id, drafts, rights=False)
        await tx.execute(
            f"UPDATE events SET {poison} WHERE workspace_id = $1 AND seq = $2", alice.workspace_id, first + 1
        )
        return first, (await events.heads(tx, alice.workspace_id)).head

    first, head = await database.write(alice.workspace_id, poisoned)
    live = await database.read(lambda tx: events.load(tx, alice.workspace_id, first - 1, head))
    seen = await database.read(
        lambda tx: events.load_visible(tx, alice.workspace_id, first - 1, head, bob.user_id, guest=False, limit=10)
    )
    assert [frame.seq for frame in live] == [frame.seq for frame in seen] == [first, first + 1, first + 2]
    assert [frame.block for frame in live] == [frame.block for frame in seen]
    assert b'"type":"unreadable"' in block_json(live[1].block)
    assert b'"name":"c"' in live[2].block


@pytest.mark.parametrize("guest_before", [True, False])
async def test_after_an_unreadable_change_of_role_the_user_is_treated_as_a_guest(
    database: Database, guest_before: bool
) -> None:
    (alice,) = await world.people(database, "alice")

    async def poisoned(tx: Transaction) -> list[Frame]:
        drafts = [events.Draft(EventType.USER_UPDATED, user_id=alice.user_id, data=await world.user_data(tx, alice))]
        first = await events.append(tx, alice.workspace_id, drafts, rights=True)
        await tx.execute("UPDATE events SET data = '}' WHERE workspace_id = $1 AND seq = $2", alice.workspace_id, first)
        return await events.load(tx, alice.workspace_id, first - 1, first)

    [frame] = await database.write(alice.workspace_id, poisoned)
    place = Position(frame.era, frame.seq - 1)
    streams = Streams(1, 1)
    feed = WorkspaceFeed(alice.workspace_id, place, frame.era, streams)
    reader = Reader(alice.user_id, alice.workspace_id, alice.session_id, guest_before)
    listener = Listener(reader, streams.open())
    feed.attach(listener)
    feed.begin(listener, Start(reader, place, [], []))
    feed.receive([frame])
    assert listener.reader.guest
    assert b"unreadable" in listener.take()


async def test_an_unreadable_leaving_still_ends_the_membership(database: Database) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    before = (await database.read(lambda tx: events.heads(tx, alice.workspace_id))).head
    await world.do(database, membership.leave, bob, chat_id)

    async def poisoned(tx: Transaction) -> list[Frame]:
        await tx.execute(
            "UPDATE events SET data = '}' WHERE workspace_id = $1 AND seq > $2", alice.workspace_id, before
        )
        return await events.load(tx, alice.workspace_id, before, before + 1)

    [frame] = await database.write(alice.workspace_id, poisoned)
    place = Position(frame.era, before)
    streams = Streams(1, 1)
    feed, reader = (
        WorkspaceFeed(alice.workspace_id, place, frame.era, streams),
        Reader(bob.user_id, bob.workspace_id, bob.session_id),
    )
    listener = Listener(reader, streams.open())
    feed.attach(listener)
    feed.begin(listener, Start(reader, place, [chat_id], []))
    feed.receive([frame])
    assert frame.type is EventType.MEMBER_LEFT
    waiting = listener.pending
    streams.publish([(chat_id, frame.seq + 1, b"later")])
    assert listener.pending == waiting


def test_no_event_is_stored_as_unreadable() -> None:
    assert set(EventType) - set(TYPE_CODES) == {EventType.UNREADABLE}
