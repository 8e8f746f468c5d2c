"""Writes use half of the connections at most, and writes to one workspace run one after the other."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest

from fechatter.storage.engines.connections import reads_line
from fechatter.storage.engines.errors import StorageBusy, StorageUnavailable
from fechatter.storage.engines.write_slots import WriteSlots

CONNECTIONS = 8


@pytest.fixture
def slots() -> WriteSlots:
    return WriteSlots(CONNECTIONS, timeout_seconds=0.01, line=reads_line())


async def test_a_second_write_to_a_workspace_waits_and_leaves_slots_to_others(slots: WriteSlots) -> None:
    async with AsyncExitStack() as writes:
        for workspace_id in (1, 2, 3):
            await writes.enter_async_context(slots.slot(workspace_id))
        with pytest.raises(StorageBusy):
            await writes.enter_async_context(slots.slot(1))
        await writes.enter_async_context(slots.slot(None))


async def test_all_writes_together_leave_half_of_the_connections_to_reads(slots: WriteSlots) -> None:
    async with AsyncExitStack() as writes:
        for workspace_id in range(CONNECTIONS // 2):
            await writes.enter_async_context(slots.slot(workspace_id))
        for workspace_id in (CONNECTIONS, None):
            with pytest.raises(StorageUnavailable):
                await writes.enter_async_context(slots.slot(workspace_id))


async def test_a_slot_is_free_again_after_a_write_that_failed(slots: WriteSlots) -> None:
    for _ in range(CONNECTIONS):
        with pytest.raises(LookupError):
            async with slots.slot(1):
                raise LookupError
    async with slots.slot(1):
        pass
