"""On PostgreSQL, a write lets a waiting batch of its workspace go first, but only one."""

from __future__ import annotations

import asyncio

import pytest

from fechatter.storage.engines.base import Database
from fechatter.storage.engines.postgres import PostgresDatabase
from tests import world

pytestmark = pytest.mark.parametrize("address", ["postgres"], indirect=True)


async def rename(database: Database, workspace_id: int, order: list[str]) -> None:
    await database.write(
        workspace_id, lambda tx: tx.execute("UPDATE workspaces SET name = 'new' WHERE id = $1", workspace_id)
    )
    order.append("write")


@pytest.mark.parametrize("busy", ["same", "other"])
async def test_a_write_waits_for_one_batch_of_its_own_workspace(database: Database, busy: str) -> None:
    assert isinstance(database, PostgresDatabase)
    own, other = await world.workspace(database), await world.workspace(database)
    order: list[str] = []
    database._batch_workspaces.add(own if busy == "same" else other)
    write = asyncio.ensure_future(rename(database, own, order))
    if busy == "other":
        await write
    else:
        await rename(database, other, order)
        assert not write.done()
        # One batch after another: the next one has begun whenever the write looks.
        while not write.done():
            database._batches_ended += 1
            await asyncio.sleep(0.01)
    assert order == ["write"] * (1 if busy == "other" else 2)
