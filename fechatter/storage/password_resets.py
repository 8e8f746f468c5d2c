"""Rows of password reset links. The token itself is not stored, only its hash."""

from __future__ import annotations

import msgspec

from fechatter.model import UserId, WorkspaceId
from fechatter.storage.engines.base import Row, Transaction


class PasswordReset(msgspec.Struct, frozen=True):
    """A link's row; times in milliseconds. `created_by` is None for a link that the command line created."""

    id: int
    workspace_id: WorkspaceId
    user_id: UserId
    created_by: UserId | None
    created_at: int
    expires_at: int
    used_at: int | None
    revoked_at: int | None


_BY_HASH = """
SELECT id, workspace_id, user_id, created_by, created_at, expires_at, used_at, revoked_at FROM password_resets
WHERE token_hash = $1"""
_INSERT = """
INSERT INTO password_resets (id, workspace_id, user_id, created_by, created_at, expires_at, used_at, revoked_at,
    token_hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"""
_CLAIM = """
UPDATE password_resets SET used_at = $2
WHERE id = $1 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $2"""
_REVOKE = "UPDATE password_resets SET revoked_at = $2 WHERE user_id = $1 AND used_at IS NULL AND revoked_at IS NULL"
_FORGET = "DELETE FROM password_resets WHERE user_id = $1 AND expires_at < $2"


async def insert(tx: Transaction, reset: PasswordReset, token_hash: bytes) -> None:
    """Store a new link."""
    await tx.execute(_INSERT, *msgspec.structs.astuple(reset), token_hash)


async def by_hash(tx: Transaction, token_hash: bytes) -> PasswordReset | None:
    """Return the link with this hash of its token, even if it is used, revoked or expired."""
    row = await tx.fetchrow(_BY_HASH, token_hash)
    return None if row is None else _reset(row)


async def claim(tx: Transaction, reset_id: int) -> bool:
    """Use the link; returns False if it was already used, was revoked or has expired."""
    return await tx.execute(_CLAIM, reset_id, tx.now) == 1


async def revoke(tx: Transaction, user_id: UserId) -> None:
    """Revoke the person's open links."""
    await tx.execute(_REVOKE, user_id, tx.now)


async def forget(tx: Transaction, user_id: UserId, expired_before: int) -> None:
    """Delete the person's links that expired before `expired_before` (milliseconds)."""
    await tx.execute(_FORGET, user_id, expired_before)


def _reset(row: Row) -> PasswordReset:
    return PasswordReset(*row)
