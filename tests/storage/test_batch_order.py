"""On PostgreSQL, a write waits for a batch of its workspace before it asks for the workspace's lock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from fechatter.storage.engines.base import Database
from tests import world
from tests.contracts.rows import Sending, store
from tests.servers.process import PATIENCE_SECONDS

pytestmark = pytest.mark.parametrize("address", ["postgres"], indirect=True)
LOOKS = 50
WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'"""


@asynccontextmanager
async def locked(address: str, workspace_id: int) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Lock a workspace. Yields another connection, because a transaction sees only one state of the activity."""
    holder, observer = await asyncpg.connect(address), await asyncpg.connect(address)
    try:
        async with holder.transaction():
            await holder.execute("SELECT FROM workspaces WHERE id = $1 FOR UPDATE", workspace_id)
            yield observer
    finally:
        await holder.close()
        await observer.close()


async def wait_for_a_waiting_session(observer: asyncpg.Connection[asyncpg.Record]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await observer.fetchval(WAITING) != 1:
            continue


async def rename(database: Database, workspace_id: int) -> int:
    return await database.write(
        workspace_id, lambda tx: tx.execute("UPDATE workspaces SET name = 'new' WHERE id = $1", workspace_id)
    )


async def test_a_write_asks_for_the_lock_only_after_the_batch_before_it(database: Database, address: str) -> None:
    (alice,) = await world.people(database, "alice")
    chat_id = await world.chat(database, alice)
    async with locked(address, alice.workspace_id) as observer:
        batch = asyncio.ensure_future(store(database, [Sending(alice, chat_id)]))
        await wait_for_a_waiting_session(observer)
        write = asyncio.ensure_future(rename(database, alice.workspace_id))
        for _ in range(LOOKS):
            # Other work goes on meanwhile, so the write had its chance to ask.
            await database.read(lambda tx: tx.fetchrow("SELECT 1"))
            assert await observer.fetchval(WAITING) == 1
        assert not batch.done()
        assert not write.done()
    assert (await batch).failed == {}
    assert await write == 1


async def test_a_write_does_not_wait_for_a_batch_of_another_workspace(database: Database, address: str) -> None:
    (alice,) = await world.people(database, "alice")
    chat_id, other = await world.chat(database, alice), await world.workspace(database)
    async with locked(address, alice.workspace_id) as observer:
        batch = asyncio.ensure_future(store(database, [Sending(alice, chat_id)]))
        await wait_for_a_waiting_session(observer)
        assert await rename(database, other) == 1
        assert not batch.done()
    assert (await batch).failed == {}
