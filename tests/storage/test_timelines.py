"""A chat with a thread: every act on one of the two timelines leaves the other as it is, and both end with the chat."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from fechatter.chats import change, membership, reading, views
from fechatter.errors import Invalid
from fechatter.messages import changes
from fechatter.model import Actor, ChatId, MessageId, now_ms
from fechatter.storage import erasure, messages, read_marks, removal
from fechatter.storage.engines.base import Database
from fechatter.workers import erasure as erasing
from fechatter.workers import retention
from fechatter.workers.erasure import erase_chats
from fechatter.workers.retention import DAY_MS, Retention
from tests import history, world
from tests.contracts.rows import Sending, by_place, store

Mark = tuple[int, int]
IN_CHAT, IN_THREAD = 4, 6


class TwoTimelines(msgspec.Struct, frozen=True):
    """A chat of Alice and Bob with one thread.

    Attributes:
        ids: the messages by (thread, number); 0 is the chat itself. Alice sent all but the thread's third.
    """

    database: Database
    alice: Actor
    bob: Actor
    chat_id: ChatId
    thread_id: int
    ids: dict[tuple[int, int], MessageId]

    async def delete(self, thread_id: int, *numbers: int) -> None:
        for number in numbers:
            message_id = self.ids[thread_id, number]
            who = self.bob if (thread_id, number) == (self.thread_id, 3) else self.alice
            await world.do(self.database, changes.delete, who, self.chat_id, message_id)

    async def marks(self, who: Actor) -> list[tuple[int, int]]:
        """The marks in the answers of `/api/sync` and `resumed`, as (chat, number)."""
        found = await self.database.read(lambda tx: read_marks.of(tx, who.user_id, 0))
        return [(mark.chat_id, mark.last_read_number) for mark in found]

    async def thread_mark(self, who: Actor) -> Mark | None:
        """Number and revision of the mark in the thread."""
        sql = "SELECT number, revision FROM read_marks WHERE timeline_id = $1 AND user_id = $2"
        row = await self.database.read(lambda tx: tx.fetchrow(sql, self.thread_id, who.user_id))
        return None if row is None else (row["number"], row["revision"])

    async def emptied(self) -> tuple[int, int]:
        """The deleted prefix of the chat and of the thread."""
        sql = "SELECT emptied_through FROM timelines WHERE id = $1"
        chat, thread = [
            await self.database.read(lambda tx, each=each: tx.fetchrow(sql, each))  # type: ignore[misc]
            for each in (self.chat_id, self.thread_id)
        ]
        return chat["emptied_through"], thread["emptied_through"]

    async def unread(self, who: Actor) -> tuple[int, int | None]:
        """The unread count and the first unread number in the chat's answers."""
        found = await self.database.read(lambda tx: reading.unread_of(tx, who, self.chat_id))
        chat = await self.database.read(lambda tx: views.chat_of(tx, who, self.chat_id))
        assert chat.unread_count == found.unread_count
        return found.unread_count, found.first_unread_number

    async def left(self) -> dict[str, int]:
        """The number of rows of the two timelines in each table."""
        both = [self.chat_id, self.thread_id]
        counted = {"messages": "chat_id", "timelines": "chat_id", "read_marks": "timeline_id"}
        found = {}
        for table, column in counted.items():
            sql = f"SELECT count(*) AS n FROM {table} WHERE {column} IN ANY_OF($1)"
            row: Any = await self.database.read(lambda tx, sql=sql: tx.fetchrow(sql, both))  # type: ignore[misc]
            found[table] = row["n"]
        return found


@pytest.fixture
async def two(database: Database) -> TwoTimelines:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    return await with_thread(database, alice, bob, chat_id)


async def with_thread(database: Database, alice: Actor, bob: Actor, chat_id: ChatId) -> TwoTimelines:
    """Fill the chat and a new thread with messages, in one batch."""
    thread_id = await world.thread(database, chat_id)
    sendings = [Sending(alice, chat_id, f"chat {n}") for n in range(1, IN_CHAT + 1)]
    replies = [
        Sending(bob if n == 3 else alice, chat_id, f"reply {n}", thread_id=thread_id) for n in range(1, IN_THREAD + 1)
    ]
    sendings = [*sendings[:2], *replies[:3], *sendings[2:], *replies[3:]]
    stored = by_place(await store(database, sendings))
    ids = {(each.thread_id, stored[place][1]): MessageId(stored[place][0]) for place, each in enumerate(sendings)}
    return TwoTimelines(database, alice, bob, chat_id, thread_id, ids)


async def test_the_answers_of_a_chat_do_not_know_its_threads(two: TwoTimelines) -> None:
    assert two.ids.keys() == {(0, n) for n in range(1, IN_CHAT + 1)} | {
        (two.thread_id, n) for n in range(1, IN_THREAD + 1)
    }
    chat = await two.database.read(lambda tx: views.chat_of(tx, two.bob, two.chat_id))
    assert (chat.last_number, chat.unread_count, chat.last_read_number) == (IN_CHAT, IN_CHAT, 0)
    assert chat.last_message is not None
    assert chat.last_message.id == two.ids[0, IN_CHAT]
    assert await two.database.read(lambda tx: views.chats_of(tx, two.bob, limit=10)) == [chat]
    page = await two.database.read(lambda tx: history.around(tx, two.chat_id, 2, 10))
    assert [each.content for each in page.items] == [f"chat {n}" for n in range(IN_CHAT, 0, -1)]
    assert await two.marks(two.alice) == [(two.chat_id, IN_CHAT)]
    assert await two.marks(two.bob) == [(two.chat_id, 0)]
    assert (await two.thread_mark(two.alice), await two.thread_mark(two.bob)) == ((IN_THREAD, 0), (3, 0))


async def test_reading_a_chat_moves_no_mark_in_its_threads(two: TwoTimelines) -> None:
    for room in (reading.mark_read, reading.mark_unread):
        with pytest.raises(Invalid):
            await world.do(two.database, room, two.bob, two.chat_id, IN_THREAD)
    await world.do(two.database, reading.mark_read, two.bob, two.chat_id, IN_CHAT)
    assert (await two.marks(two.bob), await two.unread(two.bob)) == ([(two.chat_id, IN_CHAT)], (0, None))
    mark = await world.do(two.database, reading.mark_unread, two.bob, two.chat_id, 2)
    assert (mark.chat_id, mark.last_read_number, mark.revision) == (two.chat_id, 1, 1)
    assert (await two.marks(two.bob), await two.unread(two.bob)) == ([(two.chat_id, 1)], (IN_CHAT - 1, 2))
    assert (await two.thread_mark(two.alice), await two.thread_mark(two.bob)) == ((IN_THREAD, 0), (3, 0))


async def test_deleted_messages_count_in_their_own_timeline(two: TwoTimelines) -> None:
    await two.delete(two.thread_id, 2, 3)
    assert (await two.emptied(), await two.unread(two.bob)) == ((0, 0), (IN_CHAT, 1))
    await two.delete(two.thread_id, 1)
    assert (await two.emptied(), await two.unread(two.bob)) == ((0, 3), (IN_CHAT, 1))
    await two.delete(0, 1, 3)
    assert (await two.emptied(), await two.unread(two.bob)) == ((1, 3), (IN_CHAT - 2, 2))
    await two.delete(two.thread_id, 5, 4)
    await two.delete(0, 2)
    assert (await two.emptied(), await two.unread(two.bob)) == ((3, 5), (IN_CHAT - 3, 4))


async def test_one_step_counts_the_deleted_prefix_of_each_timeline(two: TwoTimelines) -> None:
    both = [two.ids[place] for place in [(0, 1), (0, 2), (two.thread_id, 1), (two.thread_id, 3)]]
    found = await two.database.write(two.alice.workspace_id, lambda tx: messages.empty(tx, both))
    assert found == sorted((message_id, two.chat_id) for message_id in both)
    assert (await two.emptied(), await two.unread(two.bob)) == ((2, 1), (IN_CHAT - 2, 3))


@pytest.mark.empty_database
async def test_retention_empties_old_messages_of_each_timeline(
    two: TwoTimelines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(retention, "STEP_MESSAGES", 3)
    old = [two.ids[place] for place in [(0, 1), (0, 2), *((two.thread_id, n) for n in range(1, 4))]]
    sql = "UPDATE messages SET created_at = $2 WHERE id IN ANY_OF($1)"
    await two.database.write_unlocked(lambda tx: tx.execute(sql, old, now_ms() - 31 * DAY_MS))
    assert await Retention(two.database, 30).run(now_ms()) == 5
    assert (await two.emptied(), await two.unread(two.bob)) == ((2, 3), (IN_CHAT - 2, 3))
    sql = "SELECT id FROM messages WHERE chat_id = $1 AND deleted_at IS NOT NULL ORDER BY id"
    rows = await two.database.read(lambda tx: tx.fetch(sql, two.chat_id))
    assert [row["id"] for row in rows] == sorted(old)


async def test_a_person_who_returns_has_nothing_unread_in_the_threads_that_she_read(two: TwoTimelines) -> None:
    carol = await world.person(two.database, two.alice.workspace_id, "carol")
    await world.do(two.database, membership.leave, two.bob, two.chat_id)
    await store(two.database, [Sending(two.alice, two.chat_id, thread_id=thread) for thread in (0, two.thread_id)])
    await world.do(two.database, membership.add, two.alice, two.chat_id, [two.bob.user_id, carol.user_id])
    for who in (two.bob, carol):
        assert await two.marks(who) == [(two.chat_id, IN_CHAT + 1)]
    assert (await two.thread_mark(two.bob), await two.thread_mark(carol)) == ((IN_THREAD + 1, 0), None)


@pytest.mark.parametrize("step", [1, 3, 100])
async def test_erasing_a_deleted_chat_erases_its_threads(
    two: TwoTimelines, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setattr(erasure, "AFTER_MS", -1000)
    monkeypatch.setattr(erasure, "STEP_MESSAGES", step)
    monkeypatch.setattr(erasure, "STEP_TIMELINES", min(step, 2))
    monkeypatch.setattr(erasing, "PAUSE_SECONDS", 0)
    await world.thread(two.database, two.chat_id)
    kept = await with_thread(two.database, two.alice, two.bob, await world.chat(two.database, two.alice, two.bob))
    before = await kept.left()
    await world.do(two.database, change.delete, two.alice, two.chat_id)
    assert await erase_chats(two.database) >= 1
    assert await two.left() == {"messages": 0, "timelines": 0, "read_marks": 0}
    assert await kept.left() == before
    assert await erase_chats(two.database) == 0


@pytest.mark.parametrize("step", [1, 4, 100])
@pytest.mark.parametrize("erased", [False, True])
async def test_removing_a_chat_removes_its_threads(
    two: TwoTimelines, monkeypatch: pytest.MonkeyPatch, step: int, erased: bool
) -> None:
    monkeypatch.setattr(erasure, "AFTER_MS", -1000)
    monkeypatch.setattr(erasing, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(removal, "STEP_ROWS", step)
    monkeypatch.setattr(erasure, "STEP_TIMELINES", min(step, 2))
    if erased:
        await world.do(two.database, change.delete, two.alice, two.chat_id)
        await erase_chats(two.database)
    steps = 1
    while await two.database.write(two.alice.workspace_id, lambda tx: removal.drop_from_chat(tx, two.chat_id)):
        steps += 1
    assert await two.left() == {"messages": 0, "timelines": 0, "read_marks": 0}
    rows = await two.database.read(lambda tx: tx.fetch("SELECT id FROM chats WHERE id = $1", two.chat_id))
    assert list(rows) == []
    assert steps > (IN_CHAT + IN_THREAD) // step or erased
