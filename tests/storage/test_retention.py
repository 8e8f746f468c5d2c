"""Messages beyond their retention are emptied, and their places stay."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from fechatter.messages import changes
from fechatter.model import Actor, ChatId, now_ms
from fechatter.settings import Settings
from fechatter.storage import audit, events, retention
from fechatter.storage.engines.base import Database
from fechatter.workers import retention as worker
from fechatter.workers.retention import DAY_MS, Retention
from fechatter.workers.upkeep import Upkeep
from tests import history, world
from tests.engines import Published
from tests.world import WriterNode

pytestmark = pytest.mark.empty_database


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(worker, "LOOK_PAUSE_SECONDS", 0)
    monkeypatch.setattr(worker, "STEP_MESSAGES", 2)
    monkeypatch.setattr(retention, "LOOK_ROWS", 3)


async def _age_messages(database: Database, chat_id: ChatId, upto: int, days: float) -> None:
    sql = "UPDATE messages SET created_at = $3 WHERE chat_id = $1 AND number <= $2"
    await database.write_unlocked(lambda tx: tx.execute(sql, chat_id, upto, now_ms() - int(days * DAY_MS)))


async def _numbers(database: Database, chat_id: ChatId) -> list[tuple[int, str, bool]]:
    page = await database.read(lambda tx: history.latest(tx, chat_id, 100))
    return [(message.number, message.content, message.deleted_at is not None) for message in reversed(page.items)]


async def _chat(database: Database, node: WriterNode, count: int) -> tuple[Actor, ChatId]:
    (alice,) = await world.people(database, "alice")
    chat_id = await world.chat(database, alice)
    for number in range(1, count + 1):
        await node.sent(alice, chat_id, f"message {number}", f"key {number}")
    return alice, chat_id


async def test_expired_messages_are_emptied_without_gaps(
    database: Database, node: WriterNode, published: Published
) -> None:
    alice, chat_id = await _chat(database, node, 7)
    first = (await database.read(lambda tx: history.latest(tx, chat_id, 100))).items[-1]
    await world.do(database, changes.edit, alice, chat_id, first.id, "edited")
    await _age_messages(database, chat_id, 5, 31)
    published.frames.clear()
    assert await Retention(database, 30).run(now_ms()) == 5
    shown = await _numbers(database, chat_id)
    assert shown == [(n, "", True) for n in range(1, 6)] + [(n, f"message {n}", False) for n in (6, 7)]
    events = [orjson.loads(frame.block.split(b"data: ", 1)[1])["data"]["message"] for frame in published.frames]
    assert [(message["number"], message["content"]) for message in events] == [(n, "") for n in range(1, 6)]
    versions = await database.read(lambda tx: tx.fetch("SELECT content FROM message_versions"))
    assert list(versions) == []


async def test_a_repeated_send_finds_its_emptied_message(database: Database, node: WriterNode) -> None:
    alice, chat_id = await _chat(database, node, 2)
    await _age_messages(database, chat_id, 2, 31)
    await Retention(database, 30).run(now_ms())
    status, message = world.stored(await node.send(alice, chat_id, "message 1", "key 1"))
    assert (status, message["number"], message["content"]) == (200, 1, "")
    assert (await node.sent(alice, chat_id, "next"))["number"] == 3


async def test_a_run_continues_where_the_previous_one_ended(database: Database, node: WriterNode) -> None:
    alice, chat_id = await _chat(database, node, 6)
    await _age_messages(database, chat_id, 2, 31)
    keeping = Retention(database, 30)
    assert [await keeping.run(now_ms()), await keeping.run(now_ms())] == [2, 0]
    await _age_messages(database, chat_id, 4, 31)
    assert await keeping.run(now_ms()) == 2
    assert await Retention(database, 30).run(now_ms()) == 0
    entries = await database.read(lambda tx: audit.page(tx, alice.workspace_id, 0, 100))
    expired = [entry for entry in entries if entry.action == "workspace.messages_expired"]
    assert [(entry.origin.place, entry.after) for entry in expired] == [
        ("message_retention_days", {"older_than_days": 30})
    ]


async def test_nothing_is_emptied_without_a_retention_setting(database: Database, node: WriterNode) -> None:
    _, chat_id = await _chat(database, node, 2)
    await _age_messages(database, chat_id, 2, 3650)
    upkeep = Upkeep(database, Settings())
    assert await upkeep.expire_messages() == 0
    assert await _numbers(database, chat_id) == [(1, "message 1", False), (2, "message 2", False)]


async def test_people_can_send_and_delete_while_messages_are_emptied(database: Database, node: WriterNode) -> None:
    alice, chat_id = await _chat(database, node, 20)
    await _age_messages(database, chat_id, 20, 31)
    ids = [message.id for message in (await database.read(lambda tx: history.latest(tx, chat_id, 100))).items]

    async def delete_some() -> None:
        for message_id in ids[:6]:
            await world.do(database, changes.delete, alice, chat_id, message_id)

    async def send_some() -> list[dict[str, Any]]:
        return [await node.sent(alice, chat_id, "new") for _ in range(6)]

    emptied, _, sent = await asyncio.gather(Retention(database, 30).run(now_ms()), delete_some(), send_some())
    assert 14 <= emptied <= 20
    assert [message["number"] for message in sent] == list(range(21, 27))
    assert await _numbers(database, chat_id) == [(n, "", True) for n in range(1, 21)] + [
        (n, "new", False) for n in range(21, 27)
    ]
    frames = await database.read(lambda tx: events.load(tx, alice.workspace_id, 0, 1000))
    assert [frame.seq for frame in frames] == list(range(1, len(frames) + 1))
    assert sum(frame.type == "message.deleted" for frame in frames) == 20
