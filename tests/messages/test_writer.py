"""The message writer over the real engines: who is answered what, and what is stored and published then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from fechatter.chats import change, membership
from fechatter.frames import block_json
from fechatter.messages import changes
from fechatter.model import Actor, ChatId
from fechatter.storage import events, messages
from fechatter.storage.engines.base import Database, Transaction
from fechatter.storage.engines.postgres import PostgresDatabase
from fechatter.storage.engines.sqlite import SqliteDatabase
from fechatter.storage.opening import open_database
from tests import world
from tests.engines import Published
from tests.world import InterruptedDatabase, WriterNode, refusal, stored

_END_WAITING = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock'"


@pytest.fixture
async def between(database: Database) -> InterruptedDatabase:
    return InterruptedDatabase(database)


@pytest.fixture
async def desk(between: InterruptedDatabase) -> AsyncIterator[WriterNode]:
    made = WriterNode(between)
    yield made
    await made.close()


async def numbers(database: Database, chat_id: ChatId) -> list[int]:
    kept = await database.read(lambda tx: messages.after(tx, chat_id, 0, 10_000))
    return [each.number for each in kept]


async def check_whole(database: Database, desk: WriterNode, who: Actor, *chats: ChatId) -> None:
    """No number of these chats or of the log is missing, and what was handed on is what the log holds."""
    for chat_id in chats:
        found = await numbers(database, chat_id)
        assert found == list(range(1, len(found) + 1))
    head = (await database.read(lambda tx: events.heads(tx, who.workspace_id))).head
    log = await database.read(lambda tx: events.load(tx, who.workspace_id, 0, head))
    assert [frame.seq for frame in log] == list(range(1, head + 1))
    by_seq = {frame.seq: frame.block for frame in log}
    assert all(by_seq[frame.seq] == frame.block for frame in desk.frames if frame.workspace_id == who.workspace_id)


async def test_a_message_is_stored_answered_and_handed_on(database: Database, desk: WriterNode) -> None:
    (alice,) = await world.people(database, "alice")
    chat_id = await world.chat(database, alice)
    status, message = stored(await desk.send(alice, chat_id, "Grüße", "key 1"))
    assert status == 201
    assert {name: message[name] for name in ("chat_id", "number", "sender_id", "content", "revision")} == {
        "chat_id": chat_id,
        "number": 1,
        "sender_id": alice.user_id,
        "content": "Grüße",
        "revision": 1,
    }
    assert message["idempotency_key"] == "key 1"
    (frame,) = desk.frames
    assert b"key 1" not in frame.block
    assert frame.block == (await database.read(lambda tx: events.load(tx, alice.workspace_id, 1, 2)))[0].block
    assert b'"content":"Gr\xc3\xbc\xc3\x9fe"' in block_json(frame.block)


async def test_a_bad_row_is_answered_by_itself_and_the_others_are_kept(database: Database, desk: WriterNode) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    (xavier,) = await world.people(database, "xavier")
    chat_id, archived = await world.chat(database, alice), await world.chat(database, alice)
    await world.do(database, change.change, alice, archived, change.ChatUpdate(archived=True))
    nobody = Actor(alice.user_id, alice.workspace_id, 1, alice.role)  # type: ignore[arg-type]
    handed_in = [
        desk.push(alice, chat_id, "first"),
        desk.push(bob, chat_id, "not his chat"),
        desk.push(xavier, chat_id, "another workspace"),
        desk.push(nobody, chat_id, "no session"),
        desk.push(alice, archived, "archived"),
        desk.push(alice, ChatId(1), "no chat"),
        desk.push(alice, chat_id, "last"),
    ]
    await desk.commit()
    answers = [await each for each in handed_in]
    assert len(desk.batches) == 1
    assert [stored(each)[1]["number"] for each in (answers[0], answers[-1])] == [1, 2]
    assert [refusal(each) for each in answers[1:-1]] == [
        (404, "not_found"),
        (404, "not_found"),
        (401, "session_ended"),
        (403, "chat_archived"),
        (404, "not_found"),
    ]
    await check_whole(database, desk, alice, chat_id)


async def test_a_repeat_in_the_same_batch_makes_one_message(database: Database, desk: WriterNode) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    handed_in = [
        desk.push(alice, chat_id, "text", "k1"),
        desk.push(alice, chat_id, "text", "k1"),
        desk.push(alice, chat_id, "other", "k1"),
        desk.push(bob, chat_id, "bob's", "k1"),
    ]
    await desk.commit()
    answers = [await each for each in handed_in]
    assert [stored(answers[place])[0] for place in (0, 1, 3)] == [201, 200, 201]
    assert stored(answers[0])[1] == stored(answers[1])[1]
    assert refusal(answers[2]) == (409, "idempotency_conflict")
    assert await numbers(database, chat_id) == [1, 2]
    await check_whole(database, desk, alice, chat_id)


async def test_a_repeat_in_a_later_batch_gets_the_first_message(database: Database, desk: WriterNode) -> None:
    (alice,) = await world.people(database, "alice")
    chat_id = await world.chat(database, alice)
    key = "0190b2c4-0000-7000-8000-000000000001"
    first = await desk.sent(alice, chat_id, "text", key)
    handed_in = [desk.push(alice, chat_id, "text", key), desk.push(alice, chat_id, "new"), desk.push(alice, chat_id, "other", key)]
    await desk.commit()
    again, new, other = [await each for each in handed_in]
    assert stored(again) == (200, first)
    assert stored(new)[0] == 201
    assert refusal(other) == (409, "idempotency_conflict")
    assert stored(await desk.send(alice, chat_id, "text", key)) == (200, first)
    await check_whole(database, desk, alice, chat_id)


async def test_a_repeat_is_answered_with_the_message_as_it_is_now(database: Database, desk: WriterNode) -> None:
    (alice,) = await world.people(database, "alice")
    chat_id = await world.chat(database, alice)
    first = await desk.sent(alice, chat_id, "first", "k1")
    await world.do(database, changes.edit, alice, chat_id, first["id"], "second")
    status, edited = stored(await desk.send(alice, chat_id, "first", "k1"))
    assert (status, edited["content"], edited["revision"], edited["idempotency_key"]) == (200, "second", 2, "k1")
    assert refusal(await desk.send(alice, chat_id, "second", "k1")) == (409, "idempotency_conflict")
    await world.do(database, changes.delete, alice, chat_id, first["id"])
    status, deleted = stored(await desk.send(alice, chat_id, "first", "k1"))
    assert (status, deleted["content"], deleted["deleted_at"] is not None) == (200, "", True)
    assert await numbers(database, chat_id) == [1]


async def test_a_repeat_after_removal_is_not_found(database: Database, desk: WriterNode) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    await desk.sent(bob, chat_id, "text", "k1")
    await world.do(database, membership.remove, alice, chat_id, [bob.user_id])
    assert refusal(await desk.send(bob, chat_id, "text", "k1")) == (404, "not_found")


@pytest.mark.parametrize("company", [0, 2])
async def test_who_is_removed_while_sending_is_refused(
    database: Database, between: InterruptedDatabase, desk: WriterNode, company: int
) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    await desk.sent(bob, chat_id, "may still")
    head = desk.frames[-1].seq

    async def remove() -> None:
        between.work = None
        await world.do(database, membership.remove, alice, chat_id, [bob.user_id])

    between.work = remove
    late = desk.push(bob, chat_id, "too late", "k1")
    others = [desk.push(alice, chat_id) for _ in range(company)]
    await desk.commit()
    assert refusal(await late) == (404, "not_found")
    assert [stored(await each)[0] for each in others] == [201] * company
    assert [frame.seq for frame in desk.frames if frame.seq > head] == list(range(head + 2, head + 2 + company))
    await check_whole(database, desk, alice, chat_id)


async def test_a_verdict_from_before_a_removal_is_not_renewed_by_a_later_one(database: Database, desk: WriterNode) -> None:
    """One batch of a sender known since long and one never seen: the younger verdict proves nothing of the older."""
    alice, bob, carol = await world.people(database, "alice", "bob", "carol")
    chat_id = await world.chat(database, alice, bob, carol)
    await desk.sent(bob, chat_id)
    await world.do(database, membership.remove, alice, chat_id, [bob.user_id])
    late, first_time = desk.push(bob, chat_id), desk.push(carol, chat_id)
    await desk.commit()
    assert refusal(await late) == (404, "not_found")
    assert stored(await first_time)[0] == 201


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("archive", (403, "chat_archived")),
        ("delete", (404, "not_found")),
        ("revoke", (401, "session_ended")),
        ("leave", (404, "not_found")),
    ],
)
async def test_rights_that_end_while_sending_refuse(
    database: Database, between: InterruptedDatabase, desk: WriterNode, how: str, expected: tuple[int, str]
) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    await desk.sent(bob, chat_id, "first", "k0")
    ways: dict[str, Any] = {
        "archive": lambda: world.do(database, change.change, alice, chat_id, change.ChatUpdate(archived=True)),
        "delete": lambda: world.do(database, change.delete, alice, chat_id),
        "revoke": lambda: world.do(database, world.revoke, bob),
        "leave": lambda: world.do(database, membership.leave, bob, chat_id),
    }

    async def end() -> None:
        between.work = None
        await ways[how]()

    between.work = end
    late, again = desk.push(bob, chat_id, "late", "k1"), desk.push(bob, chat_id, "first", "k0")
    await desk.commit()
    assert refusal(await late) == refusal(await again) == expected
    assert await numbers(database, chat_id) == [1]


async def test_rights_that_never_rest_end_in_try_again(database: Database, between: InterruptedDatabase, desk: WriterNode) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice)
    await desk.sent(alice, chat_id)

    async def unrest() -> None:
        await world.do(database, membership.add, alice, chat_id, [bob.user_id])
        await world.do(database, membership.remove, alice, chat_id, [bob.user_id])

    between.work = unrest
    first, again = desk.push(alice, chat_id, "text", "k1"), desk.push(alice, chat_id, "text", "k1")
    await desk.commit()
    assert refusal(await first) == refusal(await again) == (503, "not_stored")
    between.work = None
    assert stored(await desk.send(alice, chat_id, "text", "k1"))[0] == 201


async def test_two_workspaces_in_a_batch_where_one_changes_lose_nothing(
    database: Database, between: InterruptedDatabase, desk: WriterNode
) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    (xavier,) = await world.people(database, "xavier")
    first, second = await world.chat(database, alice, bob), await world.chat(database, xavier)

    async def remove() -> None:
        between.work = None
        await world.do(database, membership.remove, alice, first, [bob.user_id])

    between.work = remove
    handed_in = [desk.push(alice, first), desk.push(xavier, second), desk.push(bob, first), desk.push(xavier, second)]
    await desk.commit()
    answers = [await each for each in handed_in]
    assert [stored(answers[place])[1]["number"] for place in (0, 1, 3)] == [1, 1, 2]
    assert refusal(answers[2]) == (404, "not_found")
    await check_whole(database, desk, xavier, second)


async def test_a_batch_that_fails_is_told_to_every_sender_and_the_next_one_works(
    database: Database, between: InterruptedDatabase, desk: WriterNode
) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    await desk.sent(alice, chat_id)
    holding: list[asyncio.Task[None]] = []

    async def cut_off() -> None:
        between.work = None
        if isinstance(database, PostgresDatabase):
            await cut_the_line(database, alice, holding)
        elif isinstance(database, SqliteDatabase):
            await set_pages(database, "page_count FROM pragma_page_count")

    between.work = cut_off
    handed_in = [desk.push(who, chat_id, "x" * 4000, f"k{place}") for place, who in enumerate([alice, bob] * 20)]
    await desk.commit()
    answers = [refusal(await each) for each in handed_in]
    assert set(answers) == {(503, "storage_full" if isinstance(database, SqliteDatabase) else "not_stored")}
    assert len(desk.frames) == 1
    await asyncio.gather(*holding)
    if isinstance(database, SqliteDatabase):
        await set_pages(database, "1000000")
    again = [desk.push(who, chat_id, "x" * 4000, f"k{place}") for place, who in enumerate([alice, bob] * 20)]
    await desk.commit()
    assert [stored(await each)[0] for each in again] == [201] * 40
    await check_whole(database, desk, alice, chat_id)


async def cut_the_line(database: PostgresDatabase, who: Actor, holding: list[asyncio.Task[None]]) -> None:
    """Return with the workspace locked; the writer's connection is ended once its statement waits for the lock."""
    process = (await database.writer.call(database._batch_connection)).get_server_pid()
    locked = asyncio.Event()

    async def hold(tx: Transaction) -> None:
        locked.set()
        while not await database.read(lambda tx: tx.fetch(_END_WAITING, process)):
            pass

    holding.append(asyncio.create_task(database.write(who.workspace_id, hold)))
    await locked.wait()


async def set_pages(database: SqliteDatabase, most: str) -> None:
    """The disk ends there."""

    async def work() -> None:
        connection = database._write_connection
        (pages,) = connection.execute(f"SELECT {most}").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")

    await database.writer.call(work)


async def test_a_commit_whose_answer_is_lost_is_not_answered_201_and_a_repeat_finds_it(
    database: Database, between: InterruptedDatabase, desk: WriterNode
) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    between.lose_answer = True
    assert refusal(await desk.send(alice, chat_id, "text", "k1")) == (503, "not_stored")
    assert desk.frames == []
    between.lose_answer = False
    assert stored(await desk.send(alice, chat_id, "text", "k1"))[0] == 200
    assert (await desk.sent(alice, chat_id, "next"))["number"] == 2
    await check_whole(database, desk, alice, chat_id)


async def test_a_full_intake_refuses_and_keeps_what_it_has(database: Database) -> None:
    (alice,) = await world.people(database, "alice")
    chat_id = await world.chat(database, alice)
    desk = WriterNode(database, capacity=2)
    handed_in = [desk.push(alice, chat_id, f"text {place}") for place in range(3)]
    await desk.commit()
    assert [stored(await each)[1]["number"] for each in handed_in[:2]] == [1, 2]
    assert refusal(await handed_in[2]) == (503, "intake_full")
    assert (await desk.sent(alice, chat_id))["number"] == 3
    await desk.close()


async def test_two_writers_store_one_message_for_one_key(shared_postgres_url: str) -> None:
    databases = [await open_database(shared_postgres_url, Published(), connections=3) for _ in range(2)]
    desks = [WriterNode(database) for database in databases]
    alice, bob = await world.people(databases[0], "alice", "bob")
    chat_id = await world.chat(databases[0], alice, bob)
    for start in range(0, 100, 10):
        keys = [f"key {start + place}" for place in range(10)]
        handed_in = [desk.push(who, chat_id, f"by {who.user_id}", key) for key in keys for who in (alice, bob) for desk in desks]
        await asyncio.gather(*(desk.commit() for desk in desks))
        answers = [stored(await each) for each in handed_in]
        assert sorted(status for status, _ in answers) == [200] * 20 + [201] * 20
        assert [answers[place][1]["id"] for place in range(0, 40, 2)] == [answers[place][1]["id"] for place in range(1, 40, 2)]
    assert await numbers(databases[0], chat_id) == list(range(1, 201))
    for desk in desks:
        await check_whole(databases[0], desk, alice, chat_id)
        await desk.close()
    handed_on = sorted(frame.seq for desk in desks for frame in desk.frames)
    assert handed_on == list(range(3, 203))
    for database in databases:
        await database.close()
