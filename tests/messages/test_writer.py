"""The message writer over the real engines: the answers, and what is stored and published."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fechatter.chats import change, membership
from fechatter.frames import block_json
from fechatter.messages import writer
from fechatter.model import Actor, ChatId
from fechatter.storage import events
from fechatter.storage.engines.base import Database, Transaction
from fechatter.storage.engines.postgres import PostgresDatabase
from fechatter.storage.engines.sqlite import SqliteDatabase
from tests import world
from tests.messages.checks import check_whole, numbers
from tests.world import InterruptedDatabase, WriterNode, refusal, stored

_END_WAITING = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock'"


async def test_a_message_is_stored_answered_and_published(database: Database, node: WriterNode) -> None:
    (alice,) = await world.people(database, "alice")
    chat_id = await world.chat(database, alice)
    status, message = stored(await node.send(alice, chat_id, "Grüße", "key 1"))
    assert status == 201
    assert {name: message[name] for name in ("chat_id", "number", "sender_id", "content", "revision")} == {
        "chat_id": chat_id,
        "number": 1,
        "sender_id": alice.user_id,
        "content": "Grüße",
        "revision": 1,
    }
    assert message["idempotency_key"] == "key 1"
    (frame,) = node.frames
    assert b"key 1" not in frame.block
    assert frame.block == (await database.read(lambda tx: events.load(tx, alice.workspace_id, 1, 2)))[0].block
    assert b'"content":"Gr\xc3\xbc\xc3\x9fe"' in block_json(frame.block)


async def test_a_refused_row_does_not_affect_the_others(database: Database, node: WriterNode) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    (xavier,) = await world.people(database, "xavier")
    chat_id, archived = await world.chat(database, alice), await world.chat(database, alice)
    await world.do(database, change.change, alice, archived, change.ChatUpdate(archived=True))
    nobody = Actor(alice.user_id, alice.workspace_id, 1, alice.role)  # type: ignore[arg-type]
    pushed = [
        node.push(alice, chat_id, "first"),
        node.push(bob, chat_id, "not his chat"),
        node.push(xavier, chat_id, "another workspace"),
        node.push(nobody, chat_id, "no session"),
        node.push(alice, archived, "archived"),
        node.push(alice, ChatId(1), "no chat"),
        node.push(alice, chat_id, "last"),
    ]
    await node.commit()
    answers = [await each for each in pushed]
    assert len(node.batches) == 1
    assert [stored(each)[1]["number"] for each in (answers[0], answers[-1])] == [1, 2]
    assert [refusal(each) for each in answers[1:-1]] == [
        (404, "not_found"),
        (404, "not_found"),
        (401, "session_ended"),
        (403, "chat_archived"),
        (404, "not_found"),
    ]
    await check_whole(database, node, alice, chat_id)


@pytest.mark.parametrize("other_rows", [0, 2])
async def test_a_sender_who_is_removed_while_sending_is_refused(
    database: Database, between: InterruptedDatabase, node: WriterNode, other_rows: int
) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    await node.sent(bob, chat_id, "may still")
    head = node.frames[-1].seq

    async def remove() -> None:
        between.work = None
        await world.do(database, membership.remove, alice, chat_id, [bob.user_id])

    between.work = remove
    late = node.push(bob, chat_id, "too late", "k1")
    others = [node.push(alice, chat_id) for _ in range(other_rows)]
    await node.commit()
    assert refusal(await late) == (404, "not_found")
    assert [stored(await each)[0] for each in others] == [201] * other_rows
    assert [frame.seq for frame in node.frames if frame.seq > head] == list(range(head + 2, head + 2 + other_rows))
    await check_whole(database, node, alice, chat_id)


async def test_a_new_decision_about_one_sender_does_not_renew_that_of_another(
    database: Database, node: WriterNode
) -> None:
    alice, bob, carol = await world.people(database, "alice", "bob", "carol")
    chat_id = await world.chat(database, alice, bob, carol)
    await node.sent(bob, chat_id)
    await world.do(database, membership.remove, alice, chat_id, [bob.user_id])
    late, first_time = node.push(bob, chat_id), node.push(carol, chat_id)
    await node.commit()
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
async def test_a_sender_whose_rights_end_while_sending_is_refused(
    database: Database, between: InterruptedDatabase, node: WriterNode, how: str, expected: tuple[int, str]
) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    await node.sent(bob, chat_id, "first", "k0")
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
    late, again = node.push(bob, chat_id, "late", "k1"), node.push(bob, chat_id, "first", "k0")
    await node.commit()
    assert refusal(await late) == refusal(await again) == expected
    assert await numbers(database, chat_id) == [1]


async def test_rights_that_keep_changing_do_not_delay_messages(
    database: Database, between: InterruptedDatabase, node: WriterNode
) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice)
    await node.sent(alice, chat_id)
    changes = 0

    async def change() -> None:
        nonlocal changes
        changes += 1
        await world.do(database, membership.add, alice, chat_id, [bob.user_id])
        await world.do(database, membership.remove, alice, chat_id, [bob.user_id])

    between.work = change
    first, again, third = (
        node.push(alice, chat_id, text, key) for text, key in [("text", "k1"), ("text", "k1"), ("more", "k2")]
    )
    refused = node.push(bob, chat_id, "text", "k3")
    await node.commit()
    assert (stored(await first)[0], stored(await again)[0], stored(await third)[0]) == (201, 200, 201)
    assert refusal(await refused)[0] == 404
    assert (changes, await numbers(database, chat_id)) == (writer.UNLOCKED_ROUNDS, [1, 2, 3])
    between.work = None
    assert stored(await node.send(alice, chat_id, "text", "k1"))[0] == 200


async def test_a_sender_who_loses_the_right_is_refused_under_the_lock(
    database: Database, between: InterruptedDatabase, node: WriterNode
) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    await node.sent(bob, chat_id)

    async def remove() -> None:
        between.work = None
        await world.do(database, membership.remove, alice, chat_id, [bob.user_id])

    between.work = remove
    sent = [node.push(who, chat_id) for who in (bob, alice, bob)]
    await node.commit()
    assert [refusal(await sent[place])[0] for place in (0, 2)] == [404, 404]
    assert stored(await sent[1])[0] == 201
    assert await numbers(database, chat_id) == [1, 2]


async def test_a_change_in_one_workspace_loses_nothing_of_another_in_the_batch(
    database: Database, between: InterruptedDatabase, node: WriterNode
) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    (xavier,) = await world.people(database, "xavier")
    first, second = await world.chat(database, alice, bob), await world.chat(database, xavier)

    async def remove() -> None:
        between.work = None
        await world.do(database, membership.remove, alice, first, [bob.user_id])

    between.work = remove
    pushed = [node.push(alice, first), node.push(xavier, second), node.push(bob, first), node.push(xavier, second)]
    await node.commit()
    answers = [await each for each in pushed]
    assert [stored(answers[place])[1]["number"] for place in (0, 1, 3)] == [1, 1, 2]
    assert refusal(answers[2]) == (404, "not_found")
    await check_whole(database, node, xavier, second)


async def test_every_sender_of_a_failed_batch_gets_an_error_and_the_next_batch_works(
    database: Database, between: InterruptedDatabase, node: WriterNode
) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    await node.sent(alice, chat_id)
    holding: list[asyncio.Task[None]] = []

    async def fail_the_batch() -> None:
        between.work = None
        if isinstance(database, PostgresDatabase):
            await cut_connection(database, alice, holding)
        elif isinstance(database, SqliteDatabase):
            await set_pages(database, "page_count FROM pragma_page_count")

    between.work = fail_the_batch
    pushed = [node.push(who, chat_id, "x" * 4000, f"k{place}") for place, who in enumerate([alice, bob] * 20)]
    await node.commit()
    answers = [refusal(await each) for each in pushed]
    assert set(answers) == {(503, "storage_full" if isinstance(database, SqliteDatabase) else "not_stored")}
    assert len(node.frames) == 1
    await asyncio.gather(*holding)
    if isinstance(database, SqliteDatabase):
        await set_pages(database, "1000000")
    again = [node.push(who, chat_id, "x" * 4000, f"k{place}") for place, who in enumerate([alice, bob] * 20)]
    await node.commit()
    assert [stored(await each)[0] for each in again] == [201] * 40
    await check_whole(database, node, alice, chat_id)


async def cut_connection(database: PostgresDatabase, who: Actor, holding: list[asyncio.Task[None]]) -> None:
    """Lock the workspace, and end the writer's connection once its statement waits for the lock."""
    process = (await database.writer.call(database.batches.connection)).get_server_pid()
    locked = asyncio.Event()

    async def hold(tx: Transaction) -> None:
        locked.set()
        while not await database.read(lambda tx: tx.fetch(_END_WAITING, process)):
            pass

    holding.append(asyncio.create_task(database.write(who.workspace_id, hold)))
    await locked.wait()


async def set_pages(database: SqliteDatabase, most: str) -> None:
    """Limit the size of the database, as a full disk does."""

    async def work() -> None:
        connection = database._write_connection
        (pages,) = connection.execute(f"SELECT {most}").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")

    await database.writer.call(work)


async def test_a_commit_with_a_lost_answer_is_not_stored_for_the_sender_and_a_repeat_finds_it(
    database: Database, between: InterruptedDatabase, node: WriterNode
) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    between.lose_answer = True
    assert refusal(await node.send(alice, chat_id, "text", "k1")) == (503, "not_stored")
    assert node.frames == []
    between.lose_answer = False
    assert stored(await node.send(alice, chat_id, "text", "k1"))[0] == 200
    assert (await node.sent(alice, chat_id, "next"))["number"] == 2
    await check_whole(database, node, alice, chat_id)


async def test_a_full_intake_refuses_new_messages_and_keeps_the_waiting_ones(database: Database) -> None:
    (alice,) = await world.people(database, "alice")
    chat_id = await world.chat(database, alice)
    node = WriterNode(database, capacity=2)
    pushed = [node.push(alice, chat_id, f"text {place}") for place in range(3)]
    await node.commit()
    assert [stored(await each)[1]["number"] for each in pushed[:2]] == [1, 2]
    assert refusal(await pushed[2]) == (503, "intake_full")
    assert (await node.sent(alice, chat_id))["number"] == 3
    await node.close()
