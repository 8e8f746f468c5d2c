"""Old rows are deleted in small steps, and the floor records how far."""

from __future__ import annotations

from functools import partial

import pytest

from fechatter.model import Actor, now_ms
from fechatter.storage import events, upkeep
from fechatter.storage.engines.base import Database
from tests import world
from tests.contracts.rows import Sending, store
from tests.world import FAR_MS


async def log_bounds(database: Database, who: Actor) -> tuple[int, int, int]:
    """Return head, floor and number of rights of the log."""
    heads = await database.read(lambda tx: events.heads(tx, who.workspace_id))
    return heads.head, heads.floor, heads.rights


async def test_old_events_are_deleted_and_the_floor_moves_with_them(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "STEP_ROWS", 4)
    (alice,) = await world.people(database, "alice")
    chat_id = await world.chat(database, alice)
    await store(database, [Sending(alice, chat_id)] * 9)
    old = "UPDATE events SET created_at = 1 WHERE workspace_id = $1 AND seq <= 7"
    await database.write_unlocked(lambda tx: tx.execute(old, alice.workspace_id))
    steps = [
        await database.write(alice.workspace_id, lambda tx: upkeep.drop_old_events(tx, alice.workspace_id, 2))
        for _ in range(3)
    ]
    assert steps == [4, 3, 0]
    assert await log_bounds(database, alice) == (10, 7, 1)
    kept = await database.read(lambda tx: events.load(tx, alice.workspace_id, 0, 100))
    assert [frame.seq for frame in kept] == [8, 9, 10]


async def test_a_newer_event_keeps_the_events_after_it(database: Database) -> None:
    (alice,) = await world.people(database, "alice")
    chat_id = await world.chat(database, alice)
    await store(database, [Sending(alice, chat_id)] * 3)
    old = "UPDATE events SET created_at = 1 WHERE workspace_id = $1 AND seq <> 2"
    await database.write_unlocked(lambda tx: tx.execute(old, alice.workspace_id))
    assert await database.write(alice.workspace_id, lambda tx: upkeep.drop_old_events(tx, alice.workspace_id, 2)) == 1
    assert (await database.read(lambda tx: events.heads(tx, alice.workspace_id))).floor == 1


async def test_the_whole_log_can_be_deleted_and_numbers_continue(database: Database) -> None:
    (alice,) = await world.people(database, "alice")
    chat_id = await world.chat(database, alice)
    await database.write(alice.workspace_id, lambda tx: upkeep.drop_old_events(tx, alice.workspace_id, FAR_MS))
    await store(database, [Sending(alice, chat_id)])
    assert await log_bounds(database, alice) == (2, 1, 1)


async def test_old_keys_are_deleted_and_newer_ones_kept(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "STEP_ROWS", 3)
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    keys = [f"key {place}" for place in range(7)]
    await store(database, [Sending(who, chat_id, key=key) for key in keys for who in (alice, bob)])
    old = "UPDATE message_keys SET created_at = 1 WHERE chat_id = $1 AND sender_id = $2"
    await database.write_unlocked(lambda tx: tx.execute(old, chat_id, alice.user_id))
    dropped, after = 0, b""
    while keys := await database.read(partial(upkeep.next_keys, after=after)):
        drop = partial(upkeep.drop_old_keys, after=after, last=keys[-1], before_ms=now_ms() - 3_600_000)
        dropped += await database.write_unlocked(drop)
        after = keys[-1]
    left = await database.read(lambda tx: tx.fetch("SELECT sender_id FROM message_keys WHERE chat_id = $1", chat_id))
    assert [row["sender_id"] for row in left] == [bob.user_id] * 7
    assert dropped >= 7
