"""Rows of the audit log: who did what, when and from where.

The table has no foreign keys, because an entry outlives the rows that it refers to.
"""

from __future__ import annotations

from typing import Any

import msgspec
import orjson

from fechatter.model import Origin, UserId, WorkspaceId
from fechatter.storage.ages import old_prefix
from fechatter.storage.engines.base import Row, Transaction

STEP_ROWS = 500

_INSERT = """
INSERT INTO audit (id, workspace_id, created_at, action, actor_id, source, place, subject_type, subject_id, before_act,
    after_act)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"""
_PAGE = """
SELECT id, created_at, action, actor_id, source, place, subject_type, subject_id, before_act, after_act FROM audit
WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3"""
_OLDEST = "SELECT id, created_at FROM audit WHERE id > $1 AND created_at <= $2 ORDER BY id LIMIT $3"
_DROP = "DELETE FROM audit WHERE id > $1 AND id <= $2"


class Entry(msgspec.Struct, frozen=True):
    """An entry of the audit log.

    Attributes:
        created_at: milliseconds.
        actor_id: the person who acted; None for the command line.
        before, after: JSON-ready data about the change, without secrets.
    """

    id: int
    created_at: int
    action: str
    actor_id: UserId | None
    origin: Origin
    subject_type: str
    subject_id: int
    before: dict[str, Any] | None
    after: dict[str, Any] | None


async def insert(tx: Transaction, workspace_id: WorkspaceId, entry: Entry) -> None:
    """Store an entry of the workspace."""
    await tx.execute(
        _INSERT,
        entry.id,
        workspace_id,
        entry.created_at,
        entry.action,
        entry.actor_id,
        entry.origin.source,
        entry.origin.place,
        entry.subject_type,
        entry.subject_id,
        _text(entry.before),
        _text(entry.after),
    )


async def page(tx: Transaction, workspace_id: WorkspaceId, after: int, limit: int) -> list[Entry]:
    """Return the workspace's entries after the id `after`, by id."""
    return [_entry(row) for row in await tx.fetch(_PAGE, workspace_id, after, limit)]


async def old_entries(tx: Transaction, after: int, before_ms: int) -> list[int]:
    """Return the next old entries of all workspaces after the id `after` (see `ages`)."""
    return [row["id"] for row in old_prefix(await tx.fetch(_OLDEST, after, tx.now, STEP_ROWS), before_ms)]


async def drop(tx: Transaction, after: int, last: int) -> int:
    """Delete the entries after the id `after`, up to `last`. Returns how many were deleted."""
    return await tx.execute(_DROP, after, last)


def _entry(row: Row) -> Entry:
    return Entry(
        id=row["id"],
        created_at=row["created_at"],
        action=row["action"],
        actor_id=row["actor_id"],
        origin=Origin(row["source"], row["place"]),
        subject_type=row["subject_type"],
        subject_id=row["subject_id"],
        before=_data(row["before_act"]),
        after=_data(row["after_act"]),
    )


def _text(data: dict[str, Any] | None) -> str | None:
    return None if data is None else orjson.dumps(data).decode()


def _data(text: str | None) -> dict[str, Any] | None:
    return None if text is None else dict(orjson.loads(text))
