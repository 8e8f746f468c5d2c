"""The contract of both engines for storing a batch of messages."""

from __future__ import annotations

import sqlite3
from itertools import groupby
from typing import Any

import asyncpg
import msgspec
import pytest

from fechatter.chats import membership
from fechatter.model import Actor, ChatId, now_ms
from fechatter.storage import events, read_marks, rights
from fechatter.storage.engines.base import Database
from fechatter.storage.opening import open_database
from tests import history, world
from tests.contracts.rows import Sending, by_place, decided_now, repeats, rows_of, store
from tests.engines import Published
from tests.history import messages_after

_HEADS = "SELECT last_number, last_message_id FROM timelines WHERE id = $1"


async def head_of(database: Database, chat_id: ChatId) -> tuple[int, int | None]:
    row = await database.read(lambda tx: tx.fetchrow(_HEADS, chat_id))
    assert row is not None
    return row["last_number"], row["last_message_id"]


async def count(database: Database, table: str, *chats: ChatId) -> int:
    column = "timeline_id" if table == "read_marks" else "chat_id"
    sql = f"SELECT count(*) AS many FROM {table} WHERE {column} IN ANY_OF($1)"
    row = await database.read(lambda tx: tx.fetchrow(sql, list(chats)))
    assert row is not None
    return int(row["many"])


async def two_chats(database: Database) -> tuple[Actor, Actor, ChatId, ChatId]:
    alice, bob = await world.people(database, "alice", "bob")
    return alice, bob, await world.chat(database, alice, bob), await world.chat(database, alice)


async def marks_of(database: Database, actor: Actor) -> list[tuple[int, int]]:
    marks = await database.read(lambda tx: read_marks.of(tx, actor.user_id, 0))
    return [(mark.chat_id, mark.last_read_number) for mark in marks]


async def test_messages_heads_marks_keys_and_events_are_stored_together(database: Database) -> None:
    alice, bob, first, second = await two_chats(database)
    batch = [
        Sending(alice, first, "one", "k1"),
        Sending(bob, first, "two"),
        Sending(alice, second, "three"),
        Sending(alice, first, "four"),
    ]
    result = await store(database, batch)
    assert (result.stale, result.failed) == (set(), {})
    places = by_place(result)
    ids = [places[place][0] for place in range(4)]
    assert ids == sorted(set(ids))
    assert [places[place][1] for place in range(4)] == [1, 2, 1, 3]
    assert [places[place][2] for place in range(4)] == [4, 5, 6, 7]  # after three `member.joined`
    assert await head_of(database, first) == (3, ids[3])
    assert await head_of(database, second) == (1, ids[2])
    kept = (await database.read(lambda tx: history.latest(tx, first, 10))).items
    assert [(each.id, each.number, each.sender_id, each.content) for each in kept] == [
        (ids[3], 3, alice.user_id, "four"),
        (ids[1], 2, bob.user_id, "two"),
        (ids[0], 1, alice.user_id, "one"),
    ]
    assert await marks_of(database, alice) == [(first, 3), (second, 1)]
    assert await marks_of(database, bob) == [(first, 2)]
    frames = await database.read(lambda tx: events.load(tx, alice.workspace_id, 3, 7))
    assert [(frame.seq, frame.chat_id) for frame in frames] == [(4, first), (5, first), (6, second), (7, first)]
    assert await count(database, "message_keys", first, second) == 1


@pytest.mark.parametrize("others", [0, 3])
async def test_outdated_rights_store_nothing_of_the_batch(database: Database, others: int) -> None:
    alice, bob, chat_id, _ = await two_chats(database)
    batch = [Sending(alice, chat_id, key=f"k{place}") for place in range(others)] + [Sending(bob, chat_id, key="bob's")]
    decided = await decided_now(database, batch)
    await world.do(database, membership.remove, alice, chat_id, [bob.user_id])
    result = await store(database, batch, decided)
    assert (result.stored, result.stale, result.failed) == ([], {alice.workspace_id}, {})
    assert await head_of(database, chat_id) == (0, None)
    assert [await count(database, table, chat_id) for table in ("messages", "message_keys", "read_marks")] == [0, 0, 0]


async def test_outdated_rights_are_reported_for_a_batch_of_repeats_too(database: Database) -> None:
    alice, bob, chat_id, _ = await two_chats(database)
    batch = [Sending(bob, chat_id, key="bob's")]
    decided = await decided_now(database, batch)
    await store(database, batch, decided)
    await world.do(database, membership.remove, alice, chat_id, [bob.user_id])
    assert (await store(database, batch, decided)).stale == {alice.workspace_id}


async def test_a_stored_key_creates_no_second_message(database: Database) -> None:
    alice, bob, chat_id, other = await two_chats(database)
    await store(database, [Sending(alice, chat_id, "first", "k1")])
    batch = [
        Sending(alice, chat_id, "new"),
        Sending(alice, chat_id, "again", "k1"),
        Sending(bob, chat_id, "bob's own", "k1"),
    ]
    result = await store(database, [*batch, Sending(alice, other, "another chat", "k1")])
    assert repeats(result) == [1]
    assert {place: values[1] for place, values in by_place(result).items()} == {0: 2, 2: 3, 3: 1}
    assert await count(database, "messages", chat_id, other) == 4
    only_repeats = await store(database, [Sending(alice, chat_id, "again", "k1")])
    assert (repeats(only_repeats), by_place(only_repeats)) == ([0], {})
    heads = await database.read(lambda tx: events.heads(tx, alice.workspace_id))
    assert heads.head == 7  # three `member.joined`, four messages


async def test_each_workspace_of_a_batch_has_its_own_numbers(database: Database) -> None:
    alice, _, first, _ = await two_chats(database)
    xavier, _, second, _ = await two_chats(database)
    batch = [Sending(xavier, second), Sending(alice, first), Sending(xavier, second), Sending(alice, first)]
    places = by_place(await store(database, batch))
    assert [places[place][1:] for place in range(4)] == [(1, 4), (1, 4), (2, 5), (2, 5)]


async def test_a_stale_workspace_does_not_affect_the_others(database: Database) -> None:
    alice, bob, first, _ = await two_chats(database)
    xavier, _, second, _ = await two_chats(database)
    batch = [Sending(xavier, second), Sending(alice, first)]
    decided = await decided_now(database, batch)
    await world.do(database, membership.remove, alice, first, [bob.user_id])
    result = await store(database, batch, decided)
    again = [each for each in batch if each.who.workspace_id in result.stale]
    assert alice.workspace_id in result.stale
    places = by_place(result) | by_place(await store(database, again))
    assert len(by_place(result)) + len(again) == 2
    assert len(places) + len(again) >= 2
    assert (await head_of(database, first))[0] == (await head_of(database, second))[0] == 1


async def test_every_text_is_stored_unchanged(database: Database) -> None:
    alice, _, chat_id, _ = await two_chats(database)
    texts = [
        "'; DROP TABLE messages; --",
        'quotes " and \\ and \t\r\n',
        "\u2028 \u00e9 e\u0301 \U0001f44d\u200d",
        "x" * 4000,
        "\uffff\ufffe",
        "{}[]$1?1",
    ]
    await store(database, [Sending(alice, chat_id, text, text[:40]) for text in texts])
    kept = await database.read(lambda tx: messages_after(tx, chat_id, 0, 10))
    assert [each.content for each in kept] == texts


async def test_a_batch_that_cannot_be_stored_fails_completely(database: Database) -> None:
    alice, _, chat_id, _ = await two_chats(database)
    await store(database, [Sending(alice, chat_id)])
    # The next number is taken, which no key explains.
    await database.write_unlocked(lambda tx: tx.execute("UPDATE timelines SET last_number = 0 WHERE id = $1", chat_id))
    before = await database.read(lambda tx: events.heads(tx, alice.workspace_id))
    result = await store(database, [Sending(alice, chat_id, "lost", "k1"), Sending(alice, chat_id)])
    assert (result.stored, result.stale, set(result.failed)) == ([], set(), {alice.workspace_id})
    assert await database.read(lambda tx: events.heads(tx, alice.workspace_id)) == before
    assert await count(database, "message_keys", chat_id) == 0


async def test_a_failing_workspace_does_not_affect_the_others_on_postgresql(shared_postgres_url: str) -> None:
    database = await open_database(shared_postgres_url, Published(), connections=3)
    alice, _, broken, _ = await two_chats(database)
    xavier, _, whole, _ = await two_chats(database)
    await store(database, [Sending(alice, broken)])
    await database.write_unlocked(lambda tx: tx.execute("UPDATE timelines SET last_number = 0 WHERE id = $1", broken))
    result = await store(database, [Sending(alice, broken), Sending(xavier, whole)])
    assert (set(by_place(result)), set(result.failed)) == ({1}, {alice.workspace_id})
    await database.close()


class Statements:
    """Records the statements that an engine sends while it stores a batch."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self.seen: list[str] = []

    async def of(self, sendings: list[Sending]) -> list[str]:
        decided = await decided_now(self._database, sendings)
        connection = await self._connection()
        self.seen.clear()
        self._listen(connection, listening=True)
        await self._database.writer.call(lambda: self._database.batches.store(rows_of(sendings), decided, now_ms()))
        self._listen(connection, listening=False)
        return list(self.seen)

    async def _connection(self) -> Any:
        connection = getattr(self._database, "_write_connection", None)
        return connection or (await self._database.writer.call(self._database.batches.connection)).driver

    def _listen(self, connection: Any, *, listening: bool) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.set_trace_callback(self.seen.append if listening else None)
        elif listening:
            connection.add_query_logger(self._logged)
        else:
            connection.remove_query_logger(self._logged)

    def _logged(self, record: asyncpg.connection.LoggedQuery) -> None:
        self.seen.append(record.query)


async def test_a_thread_has_a_head_numbers_and_read_marks_of_its_own(database: Database) -> None:
    alice, bob, chat_id, other = await two_chats(database)
    thread = ChatId(await world.thread(database, chat_id))
    batch = [
        Sending(alice, chat_id, "first"),
        Sending(bob, chat_id, "a reply", thread_id=thread),
        Sending(alice, chat_id, "second", extras='{"mood":"calm"}'),
        Sending(bob, chat_id, "another reply", thread_id=thread, extras='{"mood":"calm"}'),
    ]
    places = by_place(await store(database, batch))
    assert [places[place][1] for place in range(4)] == [1, 1, 2, 2]
    assert await head_of(database, chat_id) == (2, places[2][0])
    assert await head_of(database, thread) == (2, places[3][0])
    for timeline, contents in ((chat_id, ["first", "second"]), (thread, ["a reply", "another reply"])):
        found = await database.read(lambda tx, each=timeline: messages_after(tx, each, 0, 10))
        assert [each.content for each in found] == contents
        assert [each.extras for each in found] == [msgspec.UNSET, msgspec.Raw('{"mood":"calm"}')]
    assert dict(await marks_of(database, alice)) == {chat_id: 2, other: 0}
    assert await marks_of(database, bob) == [(chat_id, 0)]
    assert await count(database, "read_marks", chat_id, thread) == 2


@pytest.mark.parametrize("size", [1, 32, 256])
async def test_the_number_of_statements_does_not_depend_on_the_size_of_a_batch(database: Database, size: int) -> None:
    alice, bob, first, second = await two_chats(database)
    chats = [first, second]
    statements = Statements(database)
    # The first batch of a connection also looks up the types of its parameters.
    await store(database, [Sending(bob, first, "first", "first")])
    sendings = [Sending(alice, chats[place % 2], f"text {place}", f"key {place}") for place in range(size)]
    at_once = await statements.of(sendings)
    mixed = await statements.of([*sendings, Sending(bob, first, "new")])
    if isinstance(getattr(database, "_write_connection", None), sqlite3.Connection):
        for seen in (at_once, mixed):
            # SQLite traces the insert again for each statement of its trigger.
            assert [next(shown).split()[0] for _, shown in groupby(seen)] == ["BEGIN", "SELECT", "INSERT", "COMMIT"]
            assert len(seen) == 13
    else:
        assert len(at_once) == 1
        assert len(mixed) <= 7  # The refused statement, then lock, compare, look up and store.


async def test_the_rights_of_a_batch_are_read_with_one_statement(database: Database) -> None:
    alice, bob, first, second = await two_chats(database)
    seen: list[str] = []

    class Counted:
        def __init__(self, tx: Any) -> None:
            self._tx, self.now = tx, tx.now

        async def fetch(self, sql: str, *args: object) -> Any:
            seen.append(sql)
            return await self._tx.fetch(sql, *args)

    pairs: list[tuple[int, int]] = [(who.session_id, chat_id) for who in (alice, bob) for chat_id in (first, second, 1)]
    # `Counted` has the only methods that `writers` uses.
    found = await database.read(lambda tx: rights.writers(Counted(tx), pairs))  # type: ignore[arg-type]
    assert len(seen) == 1
    assert {pair: each.refusal for pair, each in found.items()} == {
        (alice.session_id, first): None,
        (alice.session_id, second): None,
        (alice.session_id, 1): "not_found",
        (bob.session_id, first): None,
        (bob.session_id, second): "not_found",
        (bob.session_id, 1): "not_found",
    }
