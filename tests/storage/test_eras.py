"""Eras: each start begins one, and so does a different database or a log that went back under the running server."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial

import msgspec
import pytest

from fechatter.model import Actor, ChatId, Position, WorkspaceId, life_of, now_ms
from fechatter.storage import eras, events, opening, upkeep
from fechatter.storage.engines.base import Database, Transaction
from fechatter.storage.engines.postgres import PostgresDatabase
from fechatter.storage.opening import open_database
from tests import world
from tests.contracts.rows import Sending, by_place, decided_now, store
from tests.engines import Published

_ALIVE = "SELECT count(*) AS many FROM sessions WHERE revoked_at IS NULL"
_RANGES = "SELECT first_seq, era FROM eras WHERE workspace_id = $1 ORDER BY first_seq"


async def active_sessions(database: Database) -> int:
    row = await database.read(lambda tx: tx.fetchrow(_ALIVE))
    assert row is not None
    return int(row["many"])


async def era_of(address: str) -> str:
    database = await open_database(address, Published(), connections=3)
    await database.close()
    return database.era


async def era_ranges(database: Database, who: Actor) -> list[tuple[int, str]]:
    return [tuple(row) for row in await database.read(lambda tx: tx.fetch(_RANGES, who.workspace_id))]


async def frames_of(database: Database, who: Actor) -> list[tuple[int, str]]:
    log = await database.read(lambda tx: events.load(tx, who.workspace_id, 0, 1000))
    assert all(frame.block.startswith(f"id: {frame.era}.{frame.seq}\n".encode()) for frame in log)
    return [(frame.seq, frame.era) for frame in log]


async def begin_era(database: Database) -> str:
    """Begin an era as another start does."""
    system_id = await database.system_id()
    database.era = await database.write_unlocked(lambda tx: eras.begin(tx, system_id))
    return database.era


async def create_chat(database: Database) -> tuple[Actor, ChatId]:
    (alice,) = await world.people(database, "alice")
    return alice, await world.chat(database, alice)


async def test_each_start_begins_an_era_of_the_same_life(empty_address: str) -> None:
    first, second = await era_of(empty_address), await era_of(empty_address)
    assert first != second
    assert life_of(first) == life_of(second)


async def test_two_databases_have_different_lives(empty_address: str, tmp_path: object) -> None:
    assert life_of(await era_of(empty_address)) != life_of(await era_of(f"sqlite://{tmp_path}/another.db"))


async def test_nodes_that_open_an_empty_database_together_share_its_life(postgres_url: str) -> None:
    await opening.migrate(postgres_url)
    assert len({life_of(era) for era in await asyncio.gather(*(era_of(postgres_url) for _ in range(3)))}) == 1


async def test_a_command_beside_the_server_begins_no_era(address: str, database: Database) -> None:
    alice, chat_id = await create_chat(database)
    command = await open_database(address, Published(), connections=3, beside_server=True)
    await world.do(command, world.rename, alice, "Alice")
    await command.close()
    await store(database, [Sending(alice, chat_id)])
    assert await era_ranges(database, alice) == [(0, database.era)]


async def test_numbers_keep_the_era_in_which_they_were_written(database: Database) -> None:
    alice, chat_id = await create_chat(database)
    first = database.era
    await store(database, [Sending(alice, chat_id)])
    second = await begin_era(database)
    assert (await database.read(lambda tx: events.heads(tx, alice.workspace_id))).position == Position(first, 2)
    await store(database, [Sending(alice, chat_id), Sending(alice, chat_id)])
    await begin_era(database)
    third = await begin_era(database)
    await world.do(database, world.rename, alice, "Alice")
    assert await era_ranges(database, alice) == [(0, first), (3, second), (5, third)]
    assert await frames_of(database, alice) == [(1, first), (2, first), (3, second), (4, second), (5, third)]


async def test_a_stored_batch_reports_the_era_of_its_numbers(database: Database) -> None:
    alice, chat_id = await create_chat(database)
    era = await begin_era(database)
    (stored,) = (await store(database, [Sending(alice, chat_id)])).stored
    assert stored.era == era


async def test_a_decision_from_another_era_is_repeated(database: Database) -> None:
    alice, chat_id = await create_chat(database)
    decided = await decided_now(database, [Sending(alice, chat_id)])
    await begin_era(database)
    result = await store(database, [Sending(alice, chat_id)], decided)
    assert (result.stored, result.stale, result.failed) == ([], {alice.workspace_id}, {})


async def test_the_era_of_the_floor_is_kept_and_older_eras_are_deleted(database: Database) -> None:
    alice, chat_id = await create_chat(database)
    for _ in range(4):
        await begin_era(database)
        await store(database, [Sending(alice, chat_id)] * 2)
    before = await era_ranges(database, alice)
    old = "UPDATE events SET created_at = 1 WHERE workspace_id = $1 AND seq <= 5"
    await database.write_unlocked(lambda tx: tx.execute(old, alice.workspace_id))
    await database.write(alice.workspace_id, lambda tx: upkeep.drop_old_events(tx, alice.workspace_id, now_ms() - 1000))
    assert await era_ranges(database, alice) == [each for each in before if each[0] >= 4]
    assert await database.read(lambda tx: eras.at(tx, alice.workspace_id, 5)) == before[-3][1]
    assert await database.read(lambda tx: eras.at(tx, alice.workspace_id, 3)) is None


async def truncate_log(tx: Transaction, workspace_id: WorkspaceId, head: int) -> None:
    """Truncate the log to this head."""
    await tx.execute(
        "DELETE FROM messages WHERE id IN (SELECT message_id FROM events WHERE workspace_id = $1 AND seq > $2)",
        workspace_id,
        head,
    )
    await tx.execute("DELETE FROM events WHERE workspace_id = $1 AND seq > $2", workspace_id, head)
    await tx.execute("DELETE FROM eras WHERE workspace_id = $1 AND first_seq > $2 + 1", workspace_id, head)
    await tx.execute("UPDATE workspaces SET event_seq = $2, rights_seq = 1 WHERE id = $1", workspace_id, head)


async def test_a_batch_after_the_log_went_back_begins_another_life(database: Database) -> None:
    alice, chat_id = await create_chat(database)
    await store(database, [Sending(alice, chat_id)] * 3)
    first = database.era
    await database.write(alice.workspace_id, lambda tx: truncate_log(tx, alice.workspace_id, 2))
    batch = [Sending(alice, chat_id, "new")]
    assert (await store(database, batch)).stale == {alice.workspace_id}
    assert by_place(await store(database, batch))[0][2] == 3
    assert [seq for seq, era in await frames_of(database, alice) if life_of(era) == life_of(first)] == [1, 2]


async def test_a_change_after_the_log_went_back_begins_another_life(database: Database) -> None:
    alice, chat_id = await create_chat(database)
    await store(database, [Sending(alice, chat_id)] * 3)
    first = database.era
    await database.write(alice.workspace_id, lambda tx: truncate_log(tx, alice.workspace_id, 2))
    await world.do(database, world.rename, alice, "Alice")
    assert [seq for seq, era in await frames_of(database, alice) if life_of(era) == life_of(first)] == [1, 2]


async def test_sqlite_never_writes_in_an_unknown_era(tmp_path: object) -> None:
    database = await open_database(f"sqlite://{tmp_path}/fechatter.db", Published())
    alice, chat_id = await create_chat(database)
    older = database.era
    newer = await begin_era(database)
    # The files are from before the last start, under the server that has run since then.
    await database.write_unlocked(lambda tx: tx.execute("UPDATE server SET epoch = $1", older))
    assert (await store(database, [Sending(alice, chat_id)])).stale == {alice.workspace_id}
    (stored,) = (await store(database, [Sending(alice, chat_id)])).stored
    assert stored.era not in (older, newer)
    await database.close()


async def switch_database(database: PostgresDatabase) -> None:
    """Make the database look like another start of PostgreSQL that the server has never seen."""
    await database.write_unlocked(
        lambda tx: tx.execute("UPDATE server SET system_id = system_id || '-before' WHERE id = 1")
    )
    life = database._log.life
    assert life is not None
    database._log.life = msgspec.structs.replace(life, started=life.started - timedelta(hours=1))


@pytest.mark.parametrize("first", ["read", "write", "store"])
async def test_every_kind_of_transaction_notices_another_postgresql(postgres_url: str, first: str) -> None:
    database = await open_database(postgres_url, Published(), connections=3)
    assert isinstance(database, PostgresDatabase)
    alice, chat_id = await create_chat(database)
    before, batch = database.era, [Sending(alice, chat_id)]
    decided = await decided_now(database, batch)
    await switch_database(database)
    if first == "read":
        await database.read(lambda tx: events.heads(tx, alice.workspace_id))
    elif first == "write":
        await world.do(database, world.rename, alice, "Alice")
    else:
        assert (await store(database, batch, decided)).stale == {alice.workspace_id}
    assert life_of(database.era) != life_of(before)
    (stored,) = (await store(database, batch)).stored
    assert stored.era == database.era
    assert await active_sessions(database) == 1
    await database.close()


async def test_nodes_that_notice_the_same_change_begin_one_era(postgres_url: str) -> None:
    nodes = [await open_database(postgres_url, Published(), connections=3) for _ in range(3)]
    for node in nodes:
        assert isinstance(node, PostgresDatabase)
        await node.system_id()
    await nodes[0].write_unlocked(
        lambda tx: tx.execute("UPDATE server SET system_id = system_id || '-before' WHERE id = 1")
    )
    for node in nodes:
        assert isinstance(node, PostgresDatabase)
        life = node._log.life
        assert life is not None
        node._log.life = msgspec.structs.replace(life, started=life.started - timedelta(hours=1))
    await asyncio.gather(*(node.read(eras.current) for node in nodes))
    assert len({node.era for node in nodes}) == 1
    for node in nodes:
        await node.close()


async def test_another_cluster_ends_all_sessions_and_a_failover_keeps_them(
    empty_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await open_database(empty_address, Published(), connections=3)
    await world.people(database, "alice", "bob")
    cluster = (await database.system_id()).partition("/")[0]
    for system_id, left in ((f"{cluster}/restarted", 2), ("another cluster/1", 0)):
        before = database.era
        database.era = await database.write_unlocked(partial(eras.begin, system_id=system_id))
        assert life_of(database.era) != life_of(before)
        assert await active_sessions(database) == left
    await database.close()
