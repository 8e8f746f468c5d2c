"""Rows of invitations. The token itself is not stored, only its hash."""

from __future__ import annotations

import msgspec

from fechatter.model import Role, UserId, WorkspaceId
from fechatter.storage.engines.base import Row, Transaction


class Invitation(msgspec.Struct, frozen=True):
    """An invitation's row; times in milliseconds. If `email` is set, only that address can use the invitation."""

    id: int
    workspace_id: WorkspaceId
    email: str | None
    role: Role
    created_by: UserId
    created_at: int
    expires_at: int
    max_uses: int
    uses: int
    revoked_at: int | None


_COLUMNS = """
SELECT id, workspace_id, email, role, created_by, created_at, expires_at, max_uses, uses, revoked_at FROM invitations"""
_BY_HASH = f"{_COLUMNS} WHERE token_hash = $1"
_PAGE = f"{_COLUMNS} WHERE workspace_id = $1 AND revoked_at IS NULL AND id > $2 ORDER BY id LIMIT $3"
_INSERT = """
INSERT INTO invitations (id, workspace_id, email, role, created_by, created_at, expires_at, max_uses, uses, revoked_at,
    token_hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"""
_CLAIM = """
UPDATE invitations SET uses = uses + 1
WHERE id = $1 AND uses < max_uses AND revoked_at IS NULL AND expires_at > $2"""
_REVOKE = "UPDATE invitations SET revoked_at = $3 WHERE workspace_id = $1 AND id = $2 AND revoked_at IS NULL"
_REVOKE_MADE_BY = """
UPDATE invitations SET revoked_at = $3 WHERE workspace_id = $1 AND created_by = $2 AND revoked_at IS NULL"""


async def insert(tx: Transaction, invitation: Invitation, token_hash: bytes) -> None:
    """Store a new invitation."""
    await tx.execute(_INSERT, *msgspec.structs.astuple(invitation), token_hash)


async def by_hash(tx: Transaction, token_hash: bytes) -> Invitation | None:
    """Return the invitation with this hash of its token, even if it is revoked, used up or expired."""
    row = await tx.fetchrow(_BY_HASH, token_hash)
    return None if row is None else _invitation(row)


async def page(tx: Transaction, workspace_id: WorkspaceId, after: int, limit: int) -> list[Invitation]:
    """Return invitations that are not revoked, after the id `after`, by id."""
    return [_invitation(row) for row in await tx.fetch(_PAGE, workspace_id, after, limit)]


async def claim(tx: Transaction, invitation_id: int) -> bool:
    """Count one use. Returns False if no uses are left, or the invitation has expired or was revoked."""
    return await tx.execute(_CLAIM, invitation_id, tx.now) == 1


async def revoke(tx: Transaction, workspace_id: WorkspaceId, invitation_id: int) -> bool:
    """Revoke an invitation. Returns False if the workspace has no such invitation, or it was already revoked."""
    return await tx.execute(_REVOKE, workspace_id, invitation_id, tx.now) == 1


async def revoke_made_by(tx: Transaction, workspace_id: WorkspaceId, user_id: UserId) -> None:
    """Revoke all invitations that this person created."""
    await tx.execute(_REVOKE_MADE_BY, workspace_id, user_id, tx.now)


def _invitation(row: Row) -> Invitation:
    return Invitation(
        id=row["id"],
        workspace_id=row["workspace_id"],
        email=row["email"],
        role=Role(row["role"]),
        created_by=row["created_by"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        max_uses=row["max_uses"],
        uses=row["uses"],
        revoked_at=row["revoked_at"],
    )
