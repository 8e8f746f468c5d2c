"""The audit log is limited by age."""

from __future__ import annotations

from functools import partial

import pytest

from fechatter.accounts.administration import command_actor
from fechatter.audit.record import Act, record
from fechatter.model import WorkspaceId, now_ms
from fechatter.storage import audit
from fechatter.storage.engines.base import Database
from tests import world

_AGE = "UPDATE audit SET created_at = 1 WHERE workspace_id = $1 AND subject_id < 6"


async def recorded_subjects(database: Database, workspace_id: WorkspaceId) -> list[int]:
    return [entry.subject_id for entry in await database.read(lambda tx: audit.page(tx, workspace_id, 0, 100))]


@pytest.mark.empty_database
async def test_old_entries_are_deleted_in_steps_and_newer_ones_stay(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "STEP_ROWS", 4)
    (alice,) = await world.people(database, "alice")
    actor = command_actor(alice.workspace_id, "root")
    for number in range(9):
        await database.write_unlocked(partial(record, actor=actor, act=Act.USER_DISABLED, subject_id=number))
    await database.write_unlocked(lambda tx: tx.execute(_AGE, alice.workspace_id))
    steps, after = [], 0
    while ids := await database.read(partial(audit.old_entries, after=after, before_ms=now_ms() - 3_600_000)):
        steps.append(await database.write_unlocked(partial(audit.drop, after=after, last=ids[-1])))
        after = ids[-1]
    assert steps == [4, 2]
    assert await recorded_subjects(database, alice.workspace_id) == [6, 7, 8]
