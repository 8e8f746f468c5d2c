"""Stores the good rows of a batch in which the database refuses a row.

An engine stores all rows of a workspace or none. If it refuses them because of one row's content, the two halves are
stored separately, and so on, until the refused row is alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from fechatter.errors import StorageError
from fechatter.storage.engines.base import Database
from fechatter.storage.engines.batch import Decided, MessageRows, StoreResult
from fechatter.storage.engines.errors import RowRefused, StorageUnavailable, UniqueViolation

MAX_TRIES = 64
"""For one batch. This finds three refused rows of 256; if there are more, the other rows fail and are sent again."""


async def store_apart(
    database: Database, rows: MessageRows, decided_with: Mapping[int, Decided], now: int, result: StoreResult
) -> tuple[StoreResult, dict[int, StorageError]]:
    """Continue after `Database.store` returned `result` with failed workspaces.

    Returns the result for all rows, and the refused rows by their places in the MessageBatch.
    """
    total, refused = StoreResult([], set(), {}), dict[int, StorageError]()
    waiting = _record(total, refused, rows, result)
    for _ in range(MAX_TRIES):
        if not waiting:
            return total, refused
        some = waiting.pop()
        own = {workspace_id: decided_with[workspace_id] for workspace_id in dict.fromkeys(some.workspace_ids)}
        waiting += _record(total, refused, some, await database.store(some, own, now))
    for some in waiting:
        total.failed.update(dict.fromkeys(some.workspace_ids, StorageUnavailable("too many rows are refused")))
    return total, refused


def _record(
    total: StoreResult, refused: dict[int, StorageError], rows: MessageRows, result: StoreResult
) -> list[MessageRows]:
    """Add a result to the total; return the parts that must be stored separately, the last part first."""
    total.stored.extend(result.stored)
    total.stale.update(result.stale)
    refusals = {key: error for key, error in result.failed.items() if isinstance(error, RowRefused | UniqueViolation)}
    total.failed.update({key: error for key, error in result.failed.items() if key not in refusals})
    suspects = [index for index, workspace_id in enumerate(rows.workspace_ids) if workspace_id in refusals]
    if len(suspects) == 1:
        refused[rows.rows[suspects[0]]] = refusals[rows.workspace_ids[suspects[0]]]
        return []
    middle = len(suspects) // 2
    return [rows.some(half) for half in (suspects[middle:], suspects[:middle]) if half]
