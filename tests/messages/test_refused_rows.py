"""Only the row that causes a failure fails: the database refuses it, or its decision fails. On both engines."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from functools import partial

import pytest

from fechatter.chats import membership
from fechatter.errors import Problem
from fechatter.messages import refused_rows, writer
from fechatter.model import Actor, ChatId
from fechatter.storage.engines.base import Database, Transaction
from fechatter.storage.engines.errors import RowRefused
from fechatter.storage.engines.sqlite import SqliteDatabase
from tests import world
from tests.history import messages_after
from tests.messages.checks import check_whole
from tests.world import InterruptedDatabase, WriterNode, refusal, stored

POISON = "poison"


@pytest.fixture
async def poisoned(database: Database) -> AsyncIterator[Database]:
    """A database that refuses messages with a certain word, as a database of another encoding refuses a character."""
    if isinstance(database, SqliteDatabase):
        refuse = f"""CREATE TRIGGER refuse BEFORE INSERT ON messages WHEN new.content LIKE '%{POISON}%'
            BEGIN SELECT RAISE(ABORT, 'refused'); END"""
        accept = "DROP TRIGGER refuse"
    else:
        refuse = f"ALTER TABLE messages ADD CONSTRAINT refuse CHECK (content NOT LIKE '%{POISON}%') NOT VALID"
        accept = "ALTER TABLE messages DROP CONSTRAINT refuse"
    await database.write_unlocked(lambda tx: tx.execute(refuse))
    yield database
    await database.write_unlocked(lambda tx: tx.execute(accept))


@pytest.mark.parametrize("bad", [{0}, {255}, {17, 18}, {0, 127, 255}], ids=str)
async def test_bad_rows_fail_alone(poisoned: Database, node: WriterNode, bad: set[int]) -> None:
    alice, bob = await world.people(poisoned, "alice", "bob")
    (xavier,) = await world.people(poisoned, "xavier")
    shared, foreign = await world.chat(poisoned, alice, bob), await world.chat(poisoned, xavier)
    senders = [(alice, shared), (bob, shared), (xavier, foreign)]
    contents = [f"{POISON} {place}" if place in bad else f"good {place}" for place in range(256)]
    handed_in = [node.push(*senders[place % 3], content) for place, content in enumerate(contents)]
    await node.commit()
    answers = [await each for each in handed_in]
    assert len(node.batches) == 1
    assert {place for place, answer in enumerate(answers) if isinstance(answer, Problem)} == bad
    assert {refusal(answers[place]) for place in bad} == {(422, "invalid")}
    for person, chat_id in (senders[0], senders[2]):
        kept = await poisoned.read(partial(messages_after, chat_id=chat_id, number=0, limit=1_000))
        good = [place for place in range(256) if senders[place % 3][1] == chat_id and place not in bad]
        wanted = [contents[place] for place in good]
        assert [each.content for each in kept] == wanted
        assert [each.number for each in kept] == list(range(1, len(wanted) + 1))
        shown = [frame.seq for frame in node.frames if frame.workspace_id == person.workspace_id]
        assert shown == sorted(shown)
        assert len(shown) == len(wanted)


async def test_a_batch_of_bad_rows_costs_a_bounded_number_of_tries(poisoned: Database, node: WriterNode) -> None:
    (alice,) = await world.people(poisoned, "alice")
    chat_id = await world.chat(poisoned, alice)
    handed_in = [node.push(alice, chat_id, POISON) for _ in range(256)]
    await node.commit()
    answers = Counter([refusal(await each) for each in handed_in])
    assert answers.keys() == {(422, "invalid"), (503, "not_stored")}
    assert answers[422, "invalid"] < refused_rows.MAX_TRIES
    assert stored(await node.send(alice, chat_id, "good"))[1]["number"] == 1


async def test_a_refused_row_and_its_repeat_get_the_same_answer(poisoned: Database, node: WriterNode) -> None:
    (alice,) = await world.people(poisoned, "alice")
    chat_id = await world.chat(poisoned, alice)
    texts = [(POISON, "k1"), (POISON, "k1"), ("good", "k2")]
    handed_in = [node.push(alice, chat_id, content, key) for content, key in texts]
    await node.commit()
    answers = [await each for each in handed_in]
    assert [refusal(answer) for answer in answers[:2]] == [(422, "invalid")] * 2
    assert stored(answers[2])[0] == 201


async def test_a_refused_change_leaves_the_connection_usable(poisoned: Database) -> None:
    (alice,) = await world.people(poisoned, "alice")
    chat_id = await world.chat(poisoned, alice)

    async def work(tx: Transaction) -> None:
        await tx.execute(
            "INSERT INTO messages (id, chat_id, number, sender_id, content, created_at) VALUES ($1, $2, 1, $3, $4, 0)",
            await tx.new_id(),
            chat_id,
            alice.user_id,
            POISON,
        )

    for _ in range(20):
        with pytest.raises(RowRefused):
            await poisoned.write_unlocked(work)
    assert await poisoned.read(lambda tx: messages_after(tx, chat_id, 0, 10)) == []


async def keep_changing_rights(database: Database, owner: Actor, chat_id: ChatId, other: Actor) -> None:
    await world.do(database, membership.add, owner, chat_id, [other.user_id])
    await world.do(database, membership.remove, owner, chat_id, [other.user_id])


@pytest.mark.parametrize("bad", [{0}, {1, 14}], ids=str)
async def test_bad_rows_fail_alone_while_rights_keep_changing(
    poisoned: Database, node: WriterNode, between: InterruptedDatabase, bad: set[int]
) -> None:
    alice, bob = await world.people(poisoned, "alice", "bob")
    chat_id = await world.chat(poisoned, alice)
    between.work = partial(keep_changing_rights, poisoned, alice, chat_id, bob)
    contents = [f"{POISON} {place}" if place in bad else f"good {place}" for place in range(15)]
    pushed = [node.push(alice, chat_id, content) for content in contents]
    outsider = node.push(bob, chat_id, "not a member")
    await node.commit()
    assert refusal(await outsider) == (404, "not_found")
    answers = [await each for each in pushed]
    assert {place for place, answer in enumerate(answers) if isinstance(answer, Problem)} == bad
    assert {refusal(answers[place]) for place in bad} == {(422, "invalid")}
    assert between.stores == writer.UNLOCKED_ROUNDS, "then the batch is decided under the lock"
    await check_whole(poisoned, node, alice, chat_id)


async def test_a_bad_row_of_another_workspace_does_not_affect_one_whose_rights_keep_changing(
    poisoned: Database, node: WriterNode, between: InterruptedDatabase
) -> None:
    alice, bob = await world.people(poisoned, "alice", "bob")
    (xavier,) = await world.people(poisoned, "xavier")
    shared, foreign = await world.chat(poisoned, alice), await world.chat(poisoned, xavier)
    between.work = partial(keep_changing_rights, poisoned, alice, shared, bob)
    texts = [(alice, shared, "good"), (xavier, foreign, POISON), (alice, shared, "good"), (xavier, foreign, "good")]
    pushed = [node.push(who, chat_id, text) for who, chat_id, text in texts]
    await node.commit()
    answers = [await each for each in pushed]
    assert refusal(answers[1]) == (422, "invalid")
    assert [stored(answers[place])[1]["number"] for place in (0, 2, 3)] == [1, 2, 1]
    await check_whole(poisoned, node, alice, shared)


@pytest.fixture
async def unchecked(database: Database) -> AsyncIterator[Database]:
    """A database that accepts unknown roles."""
    if isinstance(database, SqliteDatabase):
        accept, refuse = (f"PRAGMA ignore_check_constraints = {value}" for value in ("on", "off"))
    else:
        accept = "ALTER TABLE users DROP CONSTRAINT users_role_check"
        refuse = "ALTER TABLE users ADD CONSTRAINT users_role_check CHECK (role <> 'unknown')"
    await database.write_unlocked(lambda tx: tx.execute(accept))
    yield database
    await database.write_unlocked(lambda tx: tx.execute("UPDATE users SET role = 'member' WHERE role = 'unknown'"))
    await database.write_unlocked(lambda tx: tx.execute(refuse))


async def set_role(database: Database, who: Actor, role: str) -> None:
    change = "UPDATE users SET role = $2 WHERE id = $1"
    await database.write_unlocked(lambda tx: tx.execute(change, who.user_id, role))


@pytest.mark.parametrize("locked", [False, True], ids=["cached rights", "under the lock"])
async def test_a_row_whose_decision_fails_does_not_affect_the_others(
    unchecked: Database,
    between: InterruptedDatabase,
    node: WriterNode,
    caplog: pytest.LogCaptureFixture,
    locked: bool,
) -> None:
    database = unchecked
    alice, bob, carol = await world.people(database, "alice", "bob", "carol")
    chat_id = await world.chat(database, alice, bob, carol)

    async def spoil() -> None:
        if between.stores == writer.UNLOCKED_ROUNDS:
            between.work = None
        await set_role(database, bob, "unknown")
        await keep_changing_rights(database, alice, chat_id, carol)
        await world.do(database, membership.add, alice, chat_id, [carol.user_id])

    if locked:
        between.work = spoil
    else:
        await spoil()
    senders = [alice, bob, carol, bob, alice, carol]
    pushed = [node.push(who, chat_id, f"text {place}", f"k{place}") for place, who in enumerate(senders)]
    again = node.push(bob, chat_id, "text 1", "k1")
    await node.commit()
    assert [refusal(await each) for each in (pushed[1], pushed[3], again)] == [(503, "not_stored")] * 3
    assert sorted([stored(await pushed[place])[1]["number"] for place in (0, 2, 4, 5)]) == [1, 2, 3, 4]
    assert node.failures() == (1, "ValueError: 'unknown' is not a valid Role")
    assert [record.exc_info is not None for record in caplog.records if "not stored" in record.message] == [True]
    await check_whole(database, node, alice, chat_id)
    await set_role(database, bob, "member")
    assert stored(await node.send(bob, chat_id, "text 1", "k1"))[0] == 201
    assert node.failures() == (1, "")


async def test_decisions_that_all_fail_cost_a_bounded_number_of_reads(
    unchecked: Database, between: InterruptedDatabase, node: WriterNode
) -> None:
    (alice,) = await world.people(unchecked, "alice")
    (xavier,) = await world.people(unchecked, "xavier")
    chats = [await world.chat(unchecked, alice) for _ in range(100)]
    foreign = await world.chat(unchecked, xavier)
    await set_role(unchecked, alice, "unknown")
    pushed = [node.push(alice, chat_id) for chat_id in chats]
    await node.commit()
    assert {refusal(await each) for each in pushed} == {(503, "not_stored")}
    assert between.reads <= 1 + refused_rows.MAX_TRIES
    assert stored(await node.send(xavier, foreign))[0] == 201


async def test_a_repeat_that_cannot_be_read_does_not_affect_the_others(database: Database, node: WriterNode) -> None:
    (alice,) = await world.people(database, "alice")
    chat_id = await world.chat(database, alice)
    first = await node.sent(alice, chat_id, "one", "k1")
    await node.sent(alice, chat_id, "two", "k2")
    date = "UPDATE messages SET created_at = $2 WHERE id = $1"
    await database.write_unlocked(lambda tx: tx.execute(date, first["id"], 10**17))
    texts = [("one", "k1"), ("new", "k3"), ("two", "k2")]
    pushed = [node.push(alice, chat_id, text, key) for text, key in texts]
    await node.commit()
    assert refusal(await pushed[0]) == (503, "not_stored")
    assert [stored(await pushed[place])[0] for place in (1, 2)] == [201, 200]
    await database.write_unlocked(lambda tx: tx.execute(date, first["id"], 0))


async def test_an_unexpected_error_of_the_engine_fails_the_batch_and_the_next_one_works(
    database: Database, between: InterruptedDatabase, node: WriterNode, caplog: pytest.LogCaptureFixture
) -> None:
    (alice,) = await world.people(database, "alice")
    chat_id = await world.chat(database, alice)

    async def fail() -> None:
        raise RuntimeError("a fault in the engine")

    between.work = fail
    assert refusal(await node.send(alice, chat_id, "text", "k1")) == (503, "not_stored")
    assert node.failures() == (1, "StorageUnavailable: RuntimeError: a fault in the engine")
    assert "a fault in the engine" in caplog.text
    between.work = None
    assert stored(await node.send(alice, chat_id, "text", "k1"))[0] == 201
