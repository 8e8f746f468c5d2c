"""Repeated sends: one idempotency key of one sender in one chat makes one message."""

from __future__ import annotations

import asyncio

from fechatter.chats import membership
from fechatter.messages import changes
from fechatter.storage.engines.base import Database
from fechatter.storage.opening import open_database
from tests import world
from tests.engines import Published
from tests.messages.checks import check_whole, numbers
from tests.world import WriterNode, refusal, stored


async def test_a_repeat_in_the_same_batch_makes_one_message(database: Database, node: WriterNode) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    pushed = [
        node.push(alice, chat_id, "text", "k1"),
        node.push(alice, chat_id, "text", "k1"),
        node.push(alice, chat_id, "other", "k1"),
        node.push(bob, chat_id, "bob's", "k1"),
    ]
    await node.commit()
    answers = [await each for each in pushed]
    assert [stored(answers[place])[0] for place in (0, 1, 3)] == [201, 200, 201]
    assert stored(answers[0])[1] == stored(answers[1])[1]
    assert refusal(answers[2]) == (409, "idempotency_conflict")
    assert await numbers(database, chat_id) == [1, 2]
    await check_whole(database, node, alice, chat_id)


async def test_a_repeat_in_a_later_batch_gets_the_first_message(database: Database, node: WriterNode) -> None:
    (alice,) = await world.people(database, "alice")
    chat_id = await world.chat(database, alice)
    key = "0190b2c4-0000-7000-8000-000000000001"
    first = await node.sent(alice, chat_id, "text", key)
    pushed = [
        node.push(alice, chat_id, "text", key),
        node.push(alice, chat_id, "new"),
        node.push(alice, chat_id, "other", key),
    ]
    await node.commit()
    again, new, other = [await each for each in pushed]
    assert stored(again) == (200, first)
    assert stored(new)[0] == 201
    assert refusal(other) == (409, "idempotency_conflict")
    assert stored(await node.send(alice, chat_id, "text", key)) == (200, first)
    await check_whole(database, node, alice, chat_id)


async def test_a_repeat_is_answered_with_the_message_as_it_is_now(database: Database, node: WriterNode) -> None:
    (alice,) = await world.people(database, "alice")
    chat_id = await world.chat(database, alice)
    first = await node.sent(alice, chat_id, "first", "k1")
    await world.do(database, changes.edit, alice, chat_id, first["id"], "second")
    status, edited = stored(await node.send(alice, chat_id, "first", "k1"))
    assert (status, edited["content"], edited["revision"], edited["idempotency_key"]) == (200, "second", 2, "k1")
    assert refusal(await node.send(alice, chat_id, "second", "k1")) == (409, "idempotency_conflict")
    await world.do(database, changes.delete, alice, chat_id, first["id"])
    status, deleted = stored(await node.send(alice, chat_id, "first", "k1"))
    assert (status, deleted["content"], deleted["deleted_at"] is not None) == (200, "", True)
    assert await numbers(database, chat_id) == [1]


async def test_a_repeat_after_removal_is_not_found(database: Database, node: WriterNode) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    await node.sent(bob, chat_id, "text", "k1")
    await world.do(database, membership.remove, alice, chat_id, [bob.user_id])
    assert refusal(await node.send(bob, chat_id, "text", "k1")) == (404, "not_found")


async def test_two_writers_store_one_message_for_one_key(shared_postgres_url: str) -> None:
    databases = [await open_database(shared_postgres_url, Published(), connections=3) for _ in range(2)]
    nodes = [WriterNode(database) for database in databases]
    alice, bob = await world.people(databases[0], "alice", "bob")
    chat_id = await world.chat(databases[0], alice, bob)
    for start in range(0, 100, 10):
        keys = [f"key {start + place}" for place in range(10)]
        pushed = [
            node.push(who, chat_id, f"by {who.user_id}", key) for key in keys for who in (alice, bob) for node in nodes
        ]
        await asyncio.gather(*(node.commit() for node in nodes))
        answers = [stored(await each) for each in pushed]
        assert sorted(status for status, _ in answers) == [200] * 20 + [201] * 20
        assert [answers[place][1]["id"] for place in range(0, 40, 2)] == [
            answers[place][1]["id"] for place in range(1, 40, 2)
        ]
    assert await numbers(databases[0], chat_id) == list(range(1, 201))
    for node in nodes:
        await check_whole(databases[0], node, alice, chat_id)
        await node.close()
    published = sorted(frame.seq for node in nodes for frame in node.frames)
    assert published == list(range(3, 203))
    for database in databases:
        await database.close()
