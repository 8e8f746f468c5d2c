"""Conflicting transactions on PostgreSQL are repeated, up to a limit."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Any

import pytest

from fechatter.storage.engines.base import Database, Transaction
from fechatter.storage.engines.errors import TransactionConflict
from fechatter.storage.engines.postgres import PostgresDatabase
from fechatter.storage.engines.retrying import MAX_TRIES
from fechatter.storage.opening import open_database
from tests import world
from tests.engines import Published

_RENAME = "UPDATE workspaces SET name = $2 WHERE id = $1"
pytestmark = pytest.mark.parametrize("address", ["postgres"], indirect=True)


def failing_work(times: int, state: str) -> tuple[Callable[[Transaction], Any], list[int]]:
    """Return work that PostgreSQL aborts `times` times with this SQLSTATE, and the list of its tries."""
    tries: list[int] = []

    async def work(tx: Transaction) -> str:
        tries.append(len(tries) + 1)
        if len(tries) <= times:
            await tx.execute(f"DO $$BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END$$")
        return "done"

    return work, tries


@pytest.mark.parametrize("state", ["40001", "40P01"])
@pytest.mark.parametrize("how", ["read", "write_unlocked"])
async def test_a_conflicting_transaction_is_repeated(database: Database, state: str, how: str) -> None:
    work, tries = failing_work(MAX_TRIES - 1, state)
    assert await getattr(database, how)(work) == "done"
    assert len(tries) == MAX_TRIES


async def test_a_transaction_that_always_conflicts_fails_after_the_last_try(database: Database) -> None:
    work, tries = failing_work(1000, "40001")
    with pytest.raises(TransactionConflict):
        await database.write_unlocked(work)
    assert len(tries) == MAX_TRIES


async def test_deadlocking_changes_all_succeed(database: Database) -> None:
    one, other = await world.workspace(database), await world.workspace(database)
    met = asyncio.Barrier(2)
    tries = []

    async def both(tx: Transaction, first: int, second: int) -> None:
        tries.append(first)
        await tx.execute(_RENAME, first, "new")
        if len(tries) <= 2:
            await met.wait()
        await tx.execute(_RENAME, second, "new")

    async with asyncio.timeout(20):
        await asyncio.gather(
            database.write_unlocked(lambda tx: both(tx, one, other)),
            database.write_unlocked(lambda tx: both(tx, other, one)),
        )
    # On a busy machine PostgreSQL may end both.
    assert 3 <= len(tries) <= MAX_TRIES


async def test_work_that_hides_an_error_is_not_committed(database: Database) -> None:
    workspace_id = await world.workspace(database)

    async def work(tx: Transaction) -> None:
        await tx.execute(_RENAME, workspace_id, "new")
        with pytest.raises(TransactionConflict):
            await tx.execute("DO $$BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END$$")

    with pytest.raises(Exception, match="failed before its commit"):
        await database.write_unlocked(work)


async def test_broken_idle_connections_fail_no_read_and_no_write(address: str) -> None:
    database = await open_database(address, Published(), connections=4)
    assert isinstance(database, PostgresDatabase)
    workspace_id = await world.workspace(database)
    try:
        holders = [holder for holder in database._links._pool._holders if holder._con is not None]
        for holder in holders:
            # The connection is broken, but neither side has noticed.
            descriptor = os.dup(holder._con._transport.get_extra_info("socket").fileno())
            with socket.socket(fileno=descriptor) as line:
                line.shutdown(socket.SHUT_RDWR)
        assert await database.write_unlocked(lambda tx: tx.execute(_RENAME, workspace_id, "new")) == 1
    finally:
        await database.close()
