"""Dropping what is no longer kept, a small step a transaction."""

from __future__ import annotations

import msgspec

from fechatter.model import WorkspaceId
from fechatter.storage import messages
from fechatter.storage.engines.base import Transaction

STEP_ROWS = 500

_WORKSPACES = "SELECT id FROM workspaces ORDER BY id"
_OLDEST = """
SELECT seq, created_at FROM events WHERE workspace_id = $1
    AND seq > (SELECT floor_seq FROM workspaces WHERE id = $1) ORDER BY seq LIMIT $2"""
_RAISE_FLOOR = "UPDATE workspaces SET floor_seq = $2 WHERE id = $1"
_DROP_EVENTS = "DELETE FROM events WHERE workspace_id = $1 AND seq <= $2"
_KEYS = """
SELECT idempotency_key, chat_id, sender_id, created_at FROM message_keys
WHERE idempotency_key > $1 ORDER BY idempotency_key LIMIT $2"""
_DROP_KEYS = "DELETE FROM message_keys WHERE idempotency_key > $1 AND idempotency_key <= $2 AND created_at < $3"
_KEYED = f"""
SELECT message_id FROM message_keys
WHERE idempotency_key > $1 AND idempotency_key <= $2 AND fingerprint <> {messages.FORGOTTEN}"""
_FORGET = f"""
UPDATE message_keys SET fingerprint = {messages.FORGOTTEN}
WHERE idempotency_key > $1 AND idempotency_key <= $2 AND message_id IN ANY_OF($3)"""


class KeyStep(msgspec.Struct, frozen=True):
    """`last_key` is where the next step goes on, None at the end."""

    dropped: int
    last_key: bytes | None


async def workspace_ids(tx: Transaction) -> list[WorkspaceId]:
    return [row["id"] for row in await tx.fetch(_WORKSPACES)]


async def drop_old_events(tx: Transaction, workspace_id: WorkspaceId, before_ms: int) -> int:
    """The oldest events, up to the first that is young enough; the floor moves first. Returns how many were dropped."""
    await tx.lock_workspace(workspace_id)
    last, count = 0, 0
    for row in await tx.fetch(_OLDEST, workspace_id, STEP_ROWS):
        if row["created_at"] >= before_ms:
            break
        last, count = row["seq"], count + 1
    if count:
        await tx.execute(_RAISE_FLOOR, workspace_id, last)
        await tx.execute(_DROP_EVENTS, workspace_id, last)
    return count


async def drop_old_keys(tx: Transaction, after: bytes, before_ms: int) -> KeyStep:
    """Look at the next keys: drop the old ones, and of the others the fingerprints of what is no longer there."""
    rows = await tx.fetch(_KEYS, after, STEP_ROWS)
    if not rows:
        return KeyStep(0, None)
    last = bytes(rows[-1]["idempotency_key"])
    dropped = await tx.execute(_DROP_KEYS, after, last, before_ms)
    keyed = [row["message_id"] for row in await tx.fetch(_KEYED, after, last)]
    gone = set(keyed) - await messages.kept(tx, keyed)
    if gone:
        await tx.execute(_FORGET, after, last, sorted(gone))
    return KeyStep(dropped, last if len(rows) == STEP_ROWS else None)
