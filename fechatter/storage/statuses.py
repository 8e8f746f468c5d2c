"""The statuses of people: columns of `users`. An expired status is treated as none, even before upkeep clears it."""

from __future__ import annotations

from fechatter.model import Status, UserId, WorkspaceId, now_ms, timestamp
from fechatter.storage.engines.base import Row, Transaction

COLUMNS = "u.status_emoji, u.status_text, u.status_until"
STEP_PEOPLE = 100

_SET = "UPDATE users SET status_emoji = $2, status_text = $3, status_until = $4 WHERE id = $1"
_EXPIRED = """
SELECT id, workspace_id FROM users WHERE status_until <= $1 AND id > $2 ORDER BY id LIMIT $3"""
_CLEAR = """
UPDATE users SET status_emoji = '', status_text = '', status_until = NULL
WHERE id IN ANY_OF($1) AND status_until <= $2 RETURNING id"""


async def set_status(tx: Transaction, user_id: UserId, emoji: str, text: str, until: int | None) -> None:
    """Store a status; `until` is its end in milliseconds. Without emoji and text, the person has no status."""
    await tx.execute(_SET, user_id, emoji, text, until)


async def expired(tx: Transaction, after: int) -> list[tuple[UserId, WorkspaceId]]:
    """Return the next people after the id `after` whose status has expired, with their workspaces."""
    return [(row["id"], row["workspace_id"]) for row in await tx.fetch(_EXPIRED, tx.now, after, STEP_PEOPLE)]


async def clear_expired(tx: Transaction, user_ids: list[UserId]) -> list[UserId]:
    """Clear the statuses of those of these people whose status has expired; return these people by id."""
    return sorted(row["id"] for row in await tx.fetch(_CLEAR, user_ids, tx.now))


def of_row(row: Row) -> Status | None:
    """Return the status in a row with COLUMNS; None if there is none or it has expired."""
    return of(row["status_emoji"], row["status_text"], row["status_until"])


def of(emoji: str, text: str, until: int | None) -> Status | None:
    """Return the status with these columns; None if there is none or it has expired."""
    if not (emoji or text) or (until is not None and until <= now_ms()):
        return None
    return Status(emoji, text, None if until is None else timestamp(until))
