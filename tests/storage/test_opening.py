"""The epoch: it stays over restarts and begins anew when the database is not the one it was."""

from __future__ import annotations

import asyncio

import pytest

from fechatter.storage import opening
from fechatter.storage.engines.base import Database
from fechatter.storage.opening import begin_epoch, learn_epoch, open_database
from tests import world
from tests.engines import Published

_ALIVE = "SELECT count(*) AS many FROM sessions WHERE revoked_at IS NULL"


async def alive(database: Database) -> int:
    row = await database.read(lambda tx: tx.fetchrow(_ALIVE))
    assert row is not None
    return int(row["many"])


async def epoch_of(address: str) -> str:
    database = await open_database(address, Published(), connections=3)
    await database.close()
    return database.epoch


async def test_the_epoch_is_kept_over_restarts(empty_address: str) -> None:
    first = await epoch_of(empty_address)
    assert first
    assert await epoch_of(empty_address) == first


async def test_two_databases_have_epochs_of_their_own(empty_address: str, tmp_path: object) -> None:
    assert await epoch_of(empty_address) != await epoch_of(f"sqlite://{tmp_path}/another.db")


async def test_another_system_begins_a_new_epoch_and_ends_all_sessions(empty_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    database = await open_database(empty_address, Published(), connections=3)
    before = database.epoch
    await world.people(database, "alice", "bob")
    assert await learn_epoch(database) == before
    assert await alive(database) == 2

    async def another() -> str:
        return "another system/1"

    monkeypatch.setattr(database, "system_id", another)
    nodes = await asyncio.gather(*(learn_epoch(database) for _ in range(4)))
    assert set(nodes) != {before}
    assert len(set(nodes)) == 1
    assert await alive(database) == 0
    assert await learn_epoch(database) == nodes[0]
    await database.close()


async def test_a_restored_backup_begins_a_new_epoch(empty_address: str) -> None:
    database = await open_database(empty_address, Published(), connections=3)
    await world.people(database, "alice")
    system_id = await database.system_id()
    await database.write(lambda tx: begin_epoch(tx, system_id, system_id))
    assert await alive(database) == 0
    await database.close()
    assert await epoch_of(empty_address) != database.epoch


async def test_nodes_that_open_an_empty_database_at_once_have_one_epoch(postgres_url: str) -> None:
    await opening.migrate(postgres_url)
    assert len(set(await asyncio.gather(*(epoch_of(postgres_url) for _ in range(3))))) == 1
