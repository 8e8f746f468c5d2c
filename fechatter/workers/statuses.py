"""Clears statuses whose end has passed, with an event for each person. Readers have not shown them since their end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from fechatter.accounts.status import clear_expired
from fechatter.model import UserId, WorkspaceId
from fechatter.storage import statuses
from fechatter.storage.engines.base import Database
from fechatter.workers.pieces import in_pieces

PAUSE_SECONDS = 0.25
"""The pause after each step: listeners receive at most 400 events a second."""


async def clear_statuses(database: Database) -> int:
    """Clear all expired statuses; return their number. Raises StorageError, PartlyFailed."""
    cleared, after = 0, 0
    async with in_pieces(database) as pieces:
        while found := await database.read(partial(statuses.expired, after=after)):
            of_workspaces: dict[WorkspaceId, list[UserId]] = {}
            for user_id, workspace_id in found:
                of_workspaces.setdefault(workspace_id, []).append(user_id)
            for workspace_id, user_ids in of_workspaces.items():
                cleared += (await pieces.rows("person {}".format, user_ids, partial(_clear, database, workspace_id)))[0]
            after = found[-1][0]
            await asyncio.sleep(PAUSE_SECONDS)
    return cleared


async def _clear(database: Database, workspace_id: WorkspaceId, user_ids: Sequence[UserId]) -> int:
    return await database.write(workspace_id, lambda tx: clear_expired(tx, workspace_id, user_ids))
