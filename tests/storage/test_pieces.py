"""A workspace or a row that fails does not stop the rest of its part of upkeep, on both engines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest

from fechatter.accounts.administration import command_actor
from fechatter.audit.record import Act, record
from fechatter.chats import change
from fechatter.errors import StorageError
from fechatter.loops import Loop, PartlyFailed
from fechatter.model import Actor, ChatId, now_ms
from fechatter.settings import Settings
from fechatter.storage import erasure, events
from fechatter.storage.engines.base import Database
from fechatter.storage.engines.errors import StorageUnavailable
from fechatter.storage.engines.sqlite import SqliteDatabase
from fechatter.workers import erasure as erasing
from fechatter.workers import pieces, retention, upkeep
from fechatter.workers.erasure import erase_chats
from fechatter.workers.pieces import in_pieces
from fechatter.workers.retention import Retention
from fechatter.workers.upkeep import Upkeep
from tests import world
from tests.world import WriterNode

pytestmark = pytest.mark.empty_database


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (erasing, retention, upkeep):
        monkeypatch.setattr(module, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(erasure, "AFTER_MS", -60_000)


@asynccontextmanager
async def refusing(database: Database, act: str, table: str, row: str) -> AsyncIterator[None]:
    """Within the block, the database refuses to delete or update some rows."""
    trigger = f"CREATE TRIGGER refuse BEFORE {act} ON {table}"
    if isinstance(database, SqliteDatabase):
        begin, end = [f"{trigger} WHEN old.{row} BEGIN SELECT RAISE(ABORT, 'refused'); END"], "DROP TRIGGER refuse"
    else:
        function = "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        begin = [
            f"{function} $$ BEGIN RAISE EXCEPTION 'refused'; END $$",
            f"{trigger} FOR EACH ROW WHEN (old.{row}) EXECUTE FUNCTION refuse()",
        ]
        end = f"DROP TRIGGER refuse ON {table}"
    for sql in begin:
        await database.write_unlocked(lambda tx, sql=sql: tx.execute(sql))  # type: ignore[misc]
    yield
    await database.write_unlocked(lambda tx: tx.execute(end))


async def make_old(database: Database, table: str) -> None:
    await database.write_unlocked(lambda tx: tx.execute(f"UPDATE {table} SET created_at = 1"))


async def count(database: Database, table: str, condition: str = "true") -> int:
    rows = await database.read(lambda tx: tx.fetch(f"SELECT count(*) FROM {table} WHERE {condition}"))
    return int(rows[0][0])


async def two_chats(database: Database, node: WriterNode, messages: int) -> list[tuple[Actor, ChatId]]:
    """Send messages with keys in a chat of each of two workspaces."""
    made = []
    for name in ("alice", "xavier"):
        (who,) = await world.people(database, name)
        chat_id = await world.chat(database, who)
        for place in range(messages):
            await node.sent(who, chat_id, f"text {place}", f"{name} {place}")
        made.append((who, chat_id))
    return made


async def test_events_of_the_other_workspaces_are_deleted(database: Database, node: WriterNode) -> None:
    (alice, _), (xavier, _) = await two_chats(database, node, 3)
    await make_old(database, "events")
    part = Loop("prune_events", Upkeep(database, Settings()).prune_events, 3600.0)
    async with refusing(database, "DELETE", "events", f"workspace_id = {alice.workspace_id}"):
        assert await part.once() <= 1.0
    assert part.state.reason.startswith(f"PartlyFailed: 1 failed, first workspace {alice.workspace_id}: ")
    heads = [await database.read(partial(events.heads, workspace_id=who.workspace_id)) for who in (alice, xavier)]
    assert [each.floor for each in heads] == [0, heads[1].head]
    assert await part.once() == 3600.0
    assert (part.state.reason, await count(database, "events")) == ("", 0)


async def test_the_other_keys_are_deleted(database: Database, node: WriterNode) -> None:
    await two_chats(database, node, 5)
    await make_old(database, "message_keys")
    bad = (await database.read(lambda tx: tx.fetch("SELECT message_id FROM message_keys ORDER BY message_id")))[2][0]
    keeping = Upkeep(database, Settings())
    async with refusing(database, "DELETE", "message_keys", f"message_id = {bad}"):
        with pytest.raises(PartlyFailed, match="1 failed, first an idempotency key: "):
            await keeping.prune_keys()
    assert await count(database, "message_keys") == 1
    assert await keeping.prune_keys() == 1


async def test_the_other_audit_entries_are_deleted(database: Database) -> None:
    (alice,) = await world.people(database, "alice")
    actor = command_actor(alice.workspace_id, "root")
    for number in range(6):
        await database.write_unlocked(partial(record, actor=actor, act=Act.USER_DISABLED, subject_id=number))
    await make_old(database, "audit")
    keeping = Upkeep(database, Settings())
    async with refusing(database, "DELETE", "audit", "subject_id IN (0, 4)"):
        with pytest.raises(PartlyFailed, match="2 failed, first audit entry "):
            await keeping.prune_audit()
    assert await count(database, "audit") == 2
    assert await keeping.prune_audit() == 2


async def test_the_other_messages_are_emptied_and_the_failed_one_is_tried_again(
    database: Database, node: WriterNode
) -> None:
    await two_chats(database, node, 5)
    await make_old(database, "messages")
    bad = (await database.read(lambda tx: tx.fetch("SELECT id FROM messages ORDER BY id")))[2][0]
    keeping = Retention(database, 30)
    async with refusing(database, "UPDATE", "messages", f"id = {bad}"):
        for _ in range(2):
            with pytest.raises(PartlyFailed, match=f"1 failed, first message {bad}: "):
                await keeping.run(now_ms())
            assert await count(database, "messages", "deleted_at IS NULL") == 1
    assert await keeping.run(now_ms()) == 1
    assert await keeping.run(now_ms()) == 0
    assert await count(database, "audit", "action = 'workspace.messages_expired'") == 2


async def test_the_other_deleted_chats_are_erased(database: Database, node: WriterNode) -> None:
    (alice, first), (xavier, third) = await two_chats(database, node, 2)
    second = await world.chat(database, alice)
    await node.sent(alice, second)
    for who, chat_id in ((alice, first), (alice, second), (xavier, third)):
        await world.do(database, change.delete, who, chat_id)
    async with refusing(database, "DELETE", "messages", f"chat_id = {first}"):
        with pytest.raises(PartlyFailed, match=f"1 failed, first chat {first}: "):
            await erase_chats(database)
    left = await database.read(lambda tx: tx.fetch("SELECT id FROM timelines"))
    assert [row["id"] for row in left] == [first]
    assert await erase_chats(database) == 1
    assert await count(database, "timelines") == 0


async def test_an_unexpected_error_is_isolated_and_logged_with_its_stack(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(numbers: object) -> int:
        if 3 in list(numbers):  # type: ignore[call-overload]
            raise KeyError("a fault")
        return len(list(numbers))  # type: ignore[call-overload]

    with pytest.raises(PartlyFailed, match="1 failed, first row 3: KeyError"):
        async with in_pieces(database) as made:
            assert await made.rows("row {}".format, list(range(10)), work) == (9, [3])
    assert any(each.exc_info for each in caplog.records)


class Gone:
    """A database that cannot be used."""

    async def check_writable(self) -> None:
        raise StorageUnavailable("gone")


async def test_a_part_ends_at_once_if_the_database_is_gone() -> None:
    tried = []

    async def work() -> None:
        tried.append(1)
        raise StorageUnavailable("gone")

    async def run() -> None:
        async with in_pieces(Gone()) as made:  # type: ignore[arg-type]
            for number in range(10):
                await made.run(f"workspace {number}", work())

    with pytest.raises(StorageError, match="gone"):
        await run()
    assert tried == [1]


async def test_failures_of_a_run_are_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "MAX_FAILURES", 3)
    tries = 0

    async def work(_: object) -> int:
        nonlocal tries
        tries += 1
        raise StorageUnavailable("refused")

    with pytest.raises(PartlyFailed, match="3 failed"):
        async with in_pieces(database) as made:
            await made.rows("row {}".format, list(range(1000)), work)
    assert tries < 20
