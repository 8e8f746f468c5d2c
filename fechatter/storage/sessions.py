"""Rows of sessions: one for each sign-in on a device. The row of an ended session is deleted.

Otherwise a person who signs in again and again would slow down their own next sign-ins, and with them the workspace.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from fechatter.model import SessionId, UserId, WorkspaceId
from fechatter.storage.engines.base import Row, Transaction


class Session(msgspec.Struct, frozen=True):
    """A session's row; times in milliseconds.

    Attributes:
        generation: the generation of the newest refresh token.
        used_order: an id drawn at each use, so that the order of uses does not depend on a clock.
    """

    id: SessionId
    workspace_id: WorkspaceId
    user_id: UserId
    salt: bytes
    generation: int
    created_at: int
    last_used_at: int
    expires_at: int
    address: str
    user_agent: str
    revoked_at: int | None
    used_order: int

    def is_live(self, now: int) -> bool:
        """Return whether the session is neither revoked nor expired at `now` (milliseconds)."""
        return self.revoked_at is None and self.expires_at > now

    def __repr__(self) -> str:
        return f"Session(id={self.id})"


_COLUMNS = """
SELECT s.id, s.workspace_id, s.user_id, s.salt, s.generation, s.created_at, s.last_used_at, s.expires_at, s.address,
    s.user_agent, s.revoked_at, s.used_order
FROM sessions s"""
_FIND = f"{_COLUMNS} WHERE s.id = $1"
_LIVE = f"""
{_COLUMNS} WHERE s.user_id = $1 AND s.revoked_at IS NULL AND s.expires_at > $2 AND s.id > $3 ORDER BY s.id LIMIT $4"""
_DELETE_UNUSED = """
DELETE FROM sessions WHERE user_id = $1 AND (revoked_at IS NOT NULL OR expires_at < $5 OR id IN (
    SELECT s.id FROM sessions s WHERE s.user_id = $1 AND s.revoked_at IS NULL AND s.expires_at > $2
    ORDER BY s.used_order DESC, s.id DESC LIMIT $4 OFFSET $3))
RETURNING id, revoked_at, expires_at"""
_EXPIRIES = "SELECT id, expires_at FROM sessions WHERE id IN ANY_OF($1) AND revoked_at IS NULL AND expires_at > $2"
_INSERT = """
INSERT INTO sessions (id, workspace_id, user_id, salt, generation, created_at, last_used_at, expires_at, address,
    user_agent, revoked_at, used_order)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"""
_ADVANCE = "UPDATE sessions SET generation = $2, last_used_at = $3, expires_at = $4, used_order = $5 WHERE id = $1"
_DELETE = "DELETE FROM sessions WHERE id IN ANY_OF($1)"

MAX_AT_ONCE = 1000
EXPIRED_KEPT_MS = 7 * 24 * 60 * 60 * 1000
"""A clock that was ahead for a while deletes no session."""


async def insert(tx: Transaction, session: Session) -> None:
    """Store a new session."""
    await tx.execute(_INSERT, *msgspec.structs.astuple(session))


async def find(tx: Transaction, session_id: SessionId) -> Session | None:
    """Return the session, even if it has ended."""
    row = await tx.fetchrow(_FIND, session_id)
    return None if row is None else _session(row)


async def live(tx: Transaction, user_id: UserId, after: int = 0, limit: int = MAX_AT_ONCE) -> list[Session]:
    """Return a person's live sessions after the id `after`, by id."""
    return [_session(row) for row in await tx.fetch(_LIVE, user_id, tx.now, after, limit)]


async def delete_unused(tx: Transaction, user_id: UserId, kept: int) -> list[SessionId]:
    """Delete a person's sessions, except the `kept` most recently used live ones. Returns the live ones by id."""
    rows = await tx.fetch(_DELETE_UNUSED, user_id, tx.now, kept, MAX_AT_ONCE, tx.now - EXPIRED_KEPT_MS)
    return sorted(row["id"] for row in rows if row["revoked_at"] is None and row["expires_at"] > tx.now)


async def expiries(tx: Transaction, session_ids: Sequence[int]) -> dict[int, int]:
    """Return when each session expires, in milliseconds. Sessions that are not live are left out."""
    return {row["id"]: row["expires_at"] for row in await tx.fetch(_EXPIRIES, list(session_ids), tx.now)}


async def advance(tx: Transaction, session_id: SessionId, generation: int, expires_at: int) -> None:
    """Record a use: set the generation of the newest refresh token, and extend the session to `expires_at`."""
    await tx.execute(_ADVANCE, session_id, generation, tx.now, expires_at, await tx.new_id())


async def delete(tx: Transaction, session_ids: Sequence[int]) -> None:
    """Delete the rows of ended sessions."""
    await tx.execute(_DELETE, list(session_ids))


def _session(row: Row) -> Session:
    return Session(*row)
