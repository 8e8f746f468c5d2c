"""Stores a batch so that a row which the database refuses does not fail the other rows.

An engine stores all rows of a workspace or none. If it refuses them because of one row's content, the two halves are
stored separately, and so on, until the refused row is alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from fechatter.errors import StorageError
from fechatter.storage.engines.base import (
    Database,
    Decided,
    MessageRows,
    RowRefused,
    StorageUnavailable,
    Stored,
    StoreResult,
    UniqueViolation,
)

MOST_TRIES = 64
"""For one batch. It finds three refused rows of 256; of a batch with more, the rest is sent again by its senders."""


class Outcome(msgspec.Struct):
    """The result of a batch.

    Attributes:
        stored: the rows that were stored, or were there already, in the order of their numbers.
        stale: workspaces whose rights have changed; their other rows must be decided again.
        failed: workspaces whose other rows could not be stored, with the reason.
        refused: rows that the database refuses, by their places in the MessageBatch.
    """

    stored: list[Stored]
    stale: set[int]
    failed: dict[int, StorageError]
    refused: dict[int, StorageError]


async def store(database: Database, rows: MessageRows, decided_with: Mapping[int, Decided], now: int) -> Outcome:
    """Store all rows that can be stored; see `Database.store`."""
    outcome, waiting = Outcome([], set(), {}, {}), [rows]
    for _ in range(MOST_TRIES):
        if not waiting:
            return outcome
        some = waiting.pop()
        own = {workspace_id: decided_with[workspace_id] for workspace_id in dict.fromkeys(some.workspace_ids)}
        waiting += _take(outcome, some, await database.store(some, own, now))
    for some in waiting:
        outcome.failed.update(dict.fromkeys(some.workspace_ids, StorageUnavailable("too many rows are refused")))
    return outcome


def _take(outcome: Outcome, rows: MessageRows, result: StoreResult) -> list[MessageRows]:
    """Record the result; returns the parts that must be stored separately, the last part first."""
    outcome.stored += result.stored
    outcome.stale |= result.stale
    refusals = {key: error for key, error in result.failed.items() if isinstance(error, RowRefused | UniqueViolation)}
    outcome.failed.update({key: error for key, error in result.failed.items() if key not in refusals})
    suspects = [index for index, workspace_id in enumerate(rows.workspace_ids) if workspace_id in refusals]
    if len(suspects) == 1:
        outcome.refused[rows.rows[suspects[0]]] = refusals[rows.workspace_ids[suspects[0]]]
        return []
    middle = len(suspects) // 2
    return [rows.some(half) for half in (suspects[middle:], suspects[:middle]) if half]
