"""Only the row that the database refuses fails, on both engines."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from functools import partial

import pytest

from fechatter.errors import Problem
from fechatter.messages import refused_rows
from fechatter.storage import messages
from fechatter.storage.engines.base import Database, Transaction
from fechatter.storage.engines.errors import RowRefused
from fechatter.storage.engines.sqlite import SqliteDatabase
from tests import world
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


@pytest.fixture
async def desk(poisoned: Database) -> AsyncIterator[WriterNode]:
    made = WriterNode(InterruptedDatabase(poisoned))
    yield made
    await made.close()


@pytest.mark.parametrize("bad", [{0}, {255}, {17, 18}, {0, 127, 255}], ids=str)
async def test_bad_rows_fail_alone(poisoned: Database, desk: WriterNode, bad: set[int]) -> None:
    alice, bob = await world.people(poisoned, "alice", "bob")
    (xavier,) = await world.people(poisoned, "xavier")
    shared, foreign = await world.chat(poisoned, alice, bob), await world.chat(poisoned, xavier)
    senders = [(alice, shared), (bob, shared), (xavier, foreign)]
    contents = [f"{POISON} {place}" if place in bad else f"good {place}" for place in range(256)]
    handed_in = [desk.push(*senders[place % 3], content) for place, content in enumerate(contents)]
    await desk.commit()
    answers = [await each for each in handed_in]
    assert len(desk.batches) == 1
    assert {place for place, answer in enumerate(answers) if isinstance(answer, Problem)} == bad
    assert {refusal(answers[place]) for place in bad} == {(422, "invalid")}
    for person, chat_id in (senders[0], senders[2]):
        kept = await poisoned.read(partial(messages.after, chat_id=chat_id, number=0, limit=1_000))
        good = [place for place in range(256) if senders[place % 3][1] == chat_id and place not in bad]
        wanted = [contents[place] for place in good]
        assert [each.content for each in kept] == wanted
        assert [each.number for each in kept] == list(range(1, len(wanted) + 1))
        shown = [frame.seq for frame in desk.frames if frame.workspace_id == person.workspace_id]
        assert shown == sorted(shown)
        assert len(shown) == len(wanted)


async def test_a_batch_of_bad_rows_costs_a_bounded_number_of_tries(poisoned: Database, desk: WriterNode) -> None:
    (alice,) = await world.people(poisoned, "alice")
    chat_id = await world.chat(poisoned, alice)
    handed_in = [desk.push(alice, chat_id, POISON) for _ in range(256)]
    await desk.commit()
    answers = Counter([refusal(await each) for each in handed_in])
    assert answers.keys() == {(422, "invalid"), (503, "not_stored")}
    assert answers[422, "invalid"] < refused_rows.MAX_TRIES
    assert stored(await desk.send(alice, chat_id, "good"))[1]["number"] == 1


async def test_a_refused_row_and_its_repeat_get_the_same_answer(poisoned: Database, desk: WriterNode) -> None:
    (alice,) = await world.people(poisoned, "alice")
    chat_id = await world.chat(poisoned, alice)
    texts = [(POISON, "k1"), (POISON, "k1"), ("good", "k2")]
    handed_in = [desk.push(alice, chat_id, content, key) for content, key in texts]
    await desk.commit()
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
    assert await poisoned.read(lambda tx: messages.after(tx, chat_id, 0, 10)) == []
