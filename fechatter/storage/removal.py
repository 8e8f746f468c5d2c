"""Removes a workspace with all its rows, one small step per transaction, so that other workspaces need not wait.

`tests/storage/test_removal.py` compares the deletes with the schema.
"""

from __future__ import annotations

from collections.abc import Sequence

from fechatter.model import ChatId, WorkspaceId
from fechatter.storage import erasure
from fechatter.storage.engines.base import Transaction
from fechatter.storage.sessions import Session

STEP_ROWS = 500
STEP_PEOPLE = 50
"""Fewer than STEP_ROWS, because the database checks for each person whether chats or invitations still refer to it."""
STEP_KEYS = 2000

_DISABLE = "UPDATE users SET disabled_at = $2 WHERE workspace_id = $1 AND disabled_at IS NULL"
_REVOKE_INVITATIONS = "UPDATE invitations SET revoked_at = $2 WHERE workspace_id = $1 AND revoked_at IS NULL"
_SESSIONS = """
SELECT id, workspace_id, user_id, salt, generation, created_at, last_used_at, expires_at, address, user_agent,
    revoked_at, used_order
FROM sessions WHERE workspace_id = $1 AND revoked_at IS NULL ORDER BY id LIMIT $2"""
_CHATS = "SELECT id FROM chats WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3"
_DROP_MEMBERSHIPS = "DELETE FROM memberships WHERE chat_id = $1"
_DROP_CHAT = "DELETE FROM chats WHERE id = $1"
_KEYS = "SELECT idempotency_key FROM message_keys WHERE idempotency_key > $1 ORDER BY idempotency_key LIMIT $2"
_DROP_KEYS = """
DELETE FROM message_keys WHERE idempotency_key > $1 AND idempotency_key <= $2
    AND chat_id IN (SELECT id FROM chats WHERE workspace_id = $3)"""
_EVENTS = "SELECT seq FROM events WHERE workspace_id = $1 ORDER BY seq LIMIT $2"
_DROP_EVENTS = "DELETE FROM events WHERE workspace_id = $1 AND seq <= $2"
_PEOPLE = "SELECT id FROM users WHERE workspace_id = $1 ORDER BY id LIMIT $2"
_DROP_SESSIONS = "DELETE FROM sessions WHERE user_id IN ANY_OF($1)"
_DROP_RESETS = "DELETE FROM password_resets WHERE user_id IN ANY_OF($1)"
_DROP_PEOPLE = "DELETE FROM users WHERE id IN ANY_OF($1)"
_DROP_INVITATIONS = "DELETE FROM invitations WHERE workspace_id = $1"
_DROP_AUDIT = "DELETE FROM audit WHERE workspace_id = $1 AND action <> $2"
_DROP_ERAS = "DELETE FROM eras WHERE workspace_id = $1"
_DROP_WORKSPACE = "DELETE FROM workspaces WHERE id = $1"


async def shut(tx: Transaction, workspace_id: WorkspaceId) -> None:
    """Disable all people of the workspace and revoke its invitations."""
    await tx.execute(_DISABLE, workspace_id, tx.now)
    await tx.execute(_REVOKE_INVITATIONS, workspace_id, tx.now)


async def open_sessions(tx: Transaction, workspace_id: WorkspaceId) -> Sequence[Session]:
    """Return the next sessions of the workspace that are not revoked."""
    return [Session(*row) for row in await tx.fetch(_SESSIONS, workspace_id, STEP_ROWS)]


async def drop_keys(tx: Transaction, workspace_id: WorkspaceId, after: bytes) -> bytes | None:
    """Delete the workspace's keys among the next STEP_KEYS keys; call this before the chats are deleted.

    Returns the key after which the next step starts, or None at the end.
    """
    rows = await tx.fetch(_KEYS, after, STEP_KEYS)
    if not rows:
        return None
    last = bytes(rows[-1]["idempotency_key"])
    await tx.execute(_DROP_KEYS, after, last, workspace_id)
    return last


async def chat_ids(tx: Transaction, workspace_id: WorkspaceId, after: int) -> list[ChatId]:
    """Return the next chats of the workspace after the id `after`, including deleted chats."""
    return [row["id"] for row in await tx.fetch(_CHATS, workspace_id, after, STEP_ROWS)]


async def drop_from_chat(tx: Transaction, chat_id: ChatId) -> bool:
    """Delete the next messages and threads of the chat, or else the chat itself. Returns whether the chat still
    exists."""
    if (await erasure.drop_messages(tx, chat_id, STEP_ROWS)).more:
        return True
    await erasure.finish(tx, [chat_id])
    await tx.execute(_DROP_MEMBERSHIPS, chat_id)
    await tx.execute(_DROP_CHAT, chat_id)
    return False


async def drop_events(tx: Transaction, workspace_id: WorkspaceId) -> bool:
    """Delete the next events. Returns whether some may be left."""
    rows = await tx.fetch(_EVENTS, workspace_id, STEP_ROWS)
    if rows:
        await tx.execute(_DROP_EVENTS, workspace_id, rows[-1]["seq"])
    return len(rows) == STEP_ROWS


async def drop_people(tx: Transaction, workspace_id: WorkspaceId) -> bool:
    """Delete the invitations and the next people; call this after the chats are deleted.

    Returns whether some people may be left.
    """
    await tx.execute(_DROP_INVITATIONS, workspace_id)
    ids = [row["id"] for row in await tx.fetch(_PEOPLE, workspace_id, STEP_PEOPLE)]
    if ids:
        await tx.execute(_DROP_SESSIONS, ids)
        await tx.execute(_DROP_RESETS, ids)
        await tx.execute(_DROP_PEOPLE, ids)
    return len(ids) == STEP_PEOPLE


async def drop_workspace(tx: Transaction, workspace_id: WorkspaceId, kept_action: str) -> None:
    """Delete the workspace's row, its eras, and its audit log except the entries of `kept_action`."""
    await tx.execute(_DROP_AUDIT, workspace_id, kept_action)
    await tx.execute(_DROP_ERAS, workspace_id)
    await tx.execute(_DROP_WORKSPACE, workspace_id)
