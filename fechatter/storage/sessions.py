"""Rows of sessions: one for each sign-in on a device."""

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
_LONGEST_UNUSED = f"""
{_COLUMNS} WHERE s.user_id = $1 AND s.revoked_at IS NULL AND s.expires_at > $2
ORDER BY s.used_order DESC, s.id DESC LIMIT $4 OFFSET $3"""
_EXPIRIES = "SELECT id, expires_at FROM sessions WHERE id IN ANY_OF($1) AND revoked_at IS NULL AND expires_at > $2"
_INSERT = """
INSERT INTO sessions (id, workspace_id, user_id, salt, generation, created_at, last_used_at, expires_at, address,
    user_agent, revoked_at, used_order)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"""
_ADVANCE = "UPDATE sessions SET generation = $2, last_used_at = $3, expires_at = $4, used_order = $5 WHERE id = $1"
_REVOKE = "UPDATE sessions SET revoked_at = $2 WHERE id IN ANY_OF($1) AND revoked_at IS NULL"
_FORGET = "DELETE FROM sessions WHERE user_id = $1 AND (revoked_at < $2 OR expires_at < $2)"

MAX_AT_ONCE = 1000


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


async def longest_unused(tx: Transaction, user_id: UserId, kept: int) -> list[Session]:
    """Return a person's live sessions, except the `kept` sessions that were used last."""
    return [_session(row) for row in await tx.fetch(_LONGEST_UNUSED, user_id, tx.now, kept, MAX_AT_ONCE)]


async def expiries(tx: Transaction, session_ids: Sequence[int]) -> dict[int, int]:
    """Return when each session expires, in milliseconds. Sessions that are not live are left out."""
    return {row["id"]: row["expires_at"] for row in await tx.fetch(_EXPIRIES, list(session_ids), tx.now)}


async def advance(tx: Transaction, session_id: SessionId, generation: int, expires_at: int) -> None:
    """Record a use: set the generation of the newest refresh token, and extend the session to `expires_at`."""
    await tx.execute(_ADVANCE, session_id, generation, tx.now, expires_at, await tx.new_id())


async def revoke(tx: Transaction, session_ids: Sequence[int]) -> None:
    """Revoke those sessions that are not revoked yet."""
    await tx.execute(_REVOKE, list(session_ids), tx.now)


async def forget(tx: Transaction, user_id: UserId, ended_before: int) -> None:
    """Delete the person's sessions that were revoked or expired before `ended_before` (milliseconds)."""
    await tx.execute(_FORGET, user_id, ended_before)


def _session(row: Row) -> Session:
    return Session(*row)
