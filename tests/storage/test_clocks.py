"""Clocks jump: a row with a wrong date neither keeps later rows nor deletes them, and order comes from counters."""

from __future__ import annotations

from functools import partial

import pytest

from fechatter.model import Actor, ChatId, now_ms
from fechatter.storage import audit, erasure, events, members, retention, sessions, upkeep
from fechatter.storage.engines.base import Database, Transaction
from fechatter.workers import retention as worker
from fechatter.workers.retention import DAY_MS, Retention
from tests import world
from tests.contracts.rows import Sending, store
from tests.world import FAR_MS, WriterNode

pytestmark = pytest.mark.empty_database

AHEAD, BEHIND, OLD, YOUNG = 3650, -3650, -60, 0
"""Days from now; ten years ahead and behind."""
KEPT_DAYS = 30
CASES = [
    ("one row ahead among old ones", [OLD, AHEAD, OLD, OLD, YOUNG], 4),
    ("the oldest row ahead", [AHEAD, OLD, OLD, YOUNG], 3),
    ("more rows ahead than one step holds", [OLD, *[AHEAD] * 9, OLD, YOUNG], 11),
    ("a row ahead between old and young ones", [OLD, AHEAD, YOUNG], 1),
    ("a row behind among young ones", [YOUNG, BEHIND, YOUNG], 0),
    ("a row behind after old ones", [OLD, BEHIND, YOUNG], 2),
    ("a row behind and one ahead", [OLD, AHEAD, YOUNG, BEHIND, OLD, YOUNG], 1),
    ("rows ahead and nothing else", [AHEAD, AHEAD], 0),
    ("all old", [OLD, OLD, OLD], 3),
]
cases = pytest.mark.parametrize(("dates", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PAUSE_SECONDS", "LOOK_PAUSE_SECONDS"):
        monkeypatch.setattr(worker, name, 0)
    monkeypatch.setattr(retention, "LOOK_ROWS", 3)
    monkeypatch.setattr(upkeep, "STEP_ROWS", 4)
    monkeypatch.setattr(audit, "STEP_ROWS", 4)


def _limit() -> int:
    return now_ms() - KEPT_DAYS * DAY_MS


async def _set_dates(database: Database, table: str, number: str, values: dict[int, int]) -> None:
    """Set the dates of the rows with these numbers, in days from now."""

    async def work(tx: Transaction) -> None:
        for value, days in values.items():
            await tx.execute(f"UPDATE {table} SET created_at = $2 WHERE {number} = $1", value, tx.now + days * DAY_MS)

    await database.write_unlocked(work)


async def _messages(database: Database, node: WriterNode, dates: list[int]) -> tuple[Actor, ChatId, list[int]]:
    """Send a message for each date. Returns the sender, the chat and the message ids."""
    (alice,) = await world.people(database, "alice")
    chat_id = await world.chat(database, alice)
    ids = [(await node.sent(alice, chat_id, f"message {place}", f"key {place}"))["id"] for place in range(len(dates))]
    await _set_dates(database, "messages", "id", dict(zip(ids, dates, strict=True)))
    return alice, chat_id, ids


@cases
async def test_messages_are_emptied_in_order(
    database: Database, node: WriterNode, dates: list[int], expected: int
) -> None:
    _, _, ids = await _messages(database, node, dates)
    keeping = Retention(database, KEPT_DAYS)
    assert await keeping.run(now_ms()) == expected
    assert await keeping.run(now_ms()) == 0
    empty = await database.read(lambda tx: tx.fetch("SELECT id FROM messages WHERE deleted_at IS NOT NULL ORDER BY id"))
    assert [row["id"] for row in empty] == ids[:expected]


async def test_a_later_run_empties_messages_that_waited_for_a_neighbour(database: Database, node: WriterNode) -> None:
    _, _, ids = await _messages(database, node, [OLD, AHEAD, AHEAD, YOUNG, YOUNG])
    keeping = Retention(database, KEPT_DAYS)
    assert await keeping.run(now_ms()) == 1
    await _set_dates(database, "messages", "id", {ids[3]: OLD})
    assert await keeping.run(now_ms()) == 3


async def test_nothing_is_emptied_right_after_a_change_of_the_clock(
    database: Database,
    node: WriterNode,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await _messages(database, node, [OLD, YOUNG])
    keeping = Retention(database, KEPT_DAYS)
    ahead = now_ms() + AHEAD * DAY_MS
    monkeypatch.setattr(worker, "now_ms", lambda: ahead)
    assert await keeping.run(ahead) == 0
    monkeypatch.undo()
    assert await keeping.run(now_ms()) == 0, "it was set back"
    assert await keeping.run(now_ms()) == 1


@cases
async def test_events_are_deleted_in_order(database: Database, dates: list[int], expected: int) -> None:
    (alice,) = await world.people(database, "alice")
    chat_id = await world.chat(database, alice)
    before = (await database.read(lambda tx: events.heads(tx, alice.workspace_id))).head
    await database.write(alice.workspace_id, lambda tx: upkeep.drop_old_events(tx, alice.workspace_id, FAR_MS))
    await store(database, [Sending(alice, chat_id)] * len(dates))
    await _set_dates(database, "events", "seq", {before + place: days for place, days in enumerate(dates, 1)})
    dropped = 0
    while count := await database.write(
        alice.workspace_id, lambda tx: upkeep.drop_old_events(tx, alice.workspace_id, _limit())
    ):
        assert count <= upkeep.STEP_ROWS
        dropped += count
    assert dropped == expected
    assert (await database.read(lambda tx: events.heads(tx, alice.workspace_id))).floor == before + expected
    kept = await database.read(lambda tx: events.load(tx, alice.workspace_id, before, before + 100))
    assert [frame.seq for frame in kept] == list(range(before + expected + 1, before + len(dates) + 1))


@cases
async def test_the_audit_log_is_deleted_in_order(database: Database, dates: list[int], expected: int) -> None:
    sql = """
INSERT INTO audit (id, workspace_id, created_at, action, source, place, subject_type, subject_id)
VALUES ($1, 1, 0, 'x', 'api', '', '', 1)"""
    await database.write_unlocked(lambda tx: tx.execute("DELETE FROM audit"))
    for place in range(1, len(dates) + 1):
        await database.write_unlocked(lambda tx, place=place: tx.execute(sql, place))  # type: ignore[misc]
    await _set_dates(database, "audit", "id", dict(enumerate(dates, 1)))
    while ids := await database.read(lambda tx: audit.old_entries(tx, 0, _limit())):
        await database.write_unlocked(partial(audit.drop, after=0, last=ids[-1]))
    left = await database.read(lambda tx: tx.fetch("SELECT id FROM audit ORDER BY id"))
    assert [row["id"] for row in left] == list(range(expected + 1, len(dates) + 1))


@pytest.mark.parametrize(
    ("dates", "kept"),
    [([AHEAD, OLD, YOUNG], [2]), ([OLD, AHEAD, AHEAD, OLD, AHEAD, YOUNG], [4, 5]), ([YOUNG, AHEAD], [0, 1])],
)
async def test_keys_dated_ahead_are_deleted_with_the_messages_after_them(
    database: Database,
    node: WriterNode,
    dates: list[int],
    kept: list[int],
) -> None:
    _, _, ids = await _messages(database, node, dates)
    await _set_dates(database, "message_keys", "message_id", dict(zip(ids, dates, strict=True)))
    after = b""
    while keys := await database.read(partial(upkeep.next_keys, after=after)):
        await database.write_unlocked(partial(upkeep.drop_old_keys, after=after, last=keys[-1], before_ms=_limit()))
        after = keys[-1]
    left = await database.read(lambda tx: tx.fetch("SELECT message_id FROM message_keys ORDER BY message_id"))
    assert [row["message_id"] for row in left] == [ids[place] for place in kept]


async def test_a_deleted_chat_that_is_dated_ahead_is_erased(database: Database, node: WriterNode) -> None:
    _, chat_id, _ = await _messages(database, node, [YOUNG])
    sql = "UPDATE chats SET deleted_at = $2 WHERE id = $1"
    await database.write_unlocked(lambda tx: tx.execute(sql, chat_id, tx.now))
    assert await database.read(lambda tx: erasure.deleted_chats(tx, 0)) == []
    await database.write_unlocked(lambda tx: tx.execute(sql, chat_id, tx.now + AHEAD * DAY_MS))
    assert [chat.id for chat in await database.read(lambda tx: erasure.deleted_chats(tx, 0))] == [chat_id]


async def test_the_longest_unused_session_is_found_by_its_uses(database: Database) -> None:
    (alice,) = await world.people(database, "alice")
    ids = [(await world.new_session(database, alice)).session_id for _ in range(3)]

    async def use(tx: Transaction) -> None:
        await sessions.advance(tx, ids[0], 2, tx.now + DAY_MS)
        await tx.execute("UPDATE sessions SET last_used_at = $2 WHERE id = $1", ids[0], tx.now + BEHIND * DAY_MS)
        await tx.execute("UPDATE sessions SET last_used_at = $2 WHERE id = $1", ids[1], tx.now + AHEAD * DAY_MS)

    await database.write(alice.workspace_id, use)
    ended = [
        await database.write(alice.workspace_id, partial(sessions.delete_unused, user_id=alice.user_id, kept=kept))
        for kept in (3, 2, 1, 0)
    ]
    assert ended == [[alice.session_id], [ids[1]], [ids[2]], [ids[0]]]


async def test_the_longest_member_is_found_by_the_order_of_joining(database: Database) -> None:
    alice, bob, carol = await world.people(database, "alice", "bob", "carol")
    chat_id = await world.chat(database, alice)
    for place, person in enumerate((carol, bob), 1):
        work = partial(members.join, chat_id=chat_id, joined=[(person.user_id, 1000 + place)])
        await database.write_unlocked(work)
    late = "UPDATE memberships SET joined_at = $3 WHERE chat_id = $1 AND user_id = $2"
    await database.write_unlocked(lambda tx: tx.execute(late, chat_id, carol.user_id, tx.now + AHEAD * DAY_MS))
    shown = await database.read(lambda tx: members.first_of(tx, [chat_id]))
    assert [person.id for person in shown[chat_id]] == [alice.user_id, carol.user_id, bob.user_id]
