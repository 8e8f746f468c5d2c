"""Deletes old events and idempotency keys, one small step per transaction; see `ages` for the age of a row."""

from __future__ import annotations

from bisect import bisect_left

from fechatter.model import WorkspaceId
from fechatter.storage import eras, messages
from fechatter.storage.ages import old_prefix
from fechatter.storage.engines.base import Transaction

STEP_ROWS = 500

_WORKSPACES = "SELECT id FROM workspaces ORDER BY id"
_OLDEST = """
SELECT e.seq, e.created_at, w.floor_seq FROM workspaces w JOIN events e ON e.workspace_id = w.id AND e.seq > w.floor_seq
WHERE w.id = $1 AND e.created_at <= $2 ORDER BY e.seq LIMIT $3"""
_RAISE_FLOOR = "UPDATE workspaces SET floor_seq = $2 WHERE id = $1"
_DROP_EVENTS = "DELETE FROM events WHERE workspace_id = $1 AND seq <= $2"
_KEYS = "SELECT idempotency_key FROM message_keys WHERE idempotency_key > $1 ORDER BY idempotency_key LIMIT $2"
_AHEAD = """
SELECT message_id FROM message_keys WHERE idempotency_key > $1 AND idempotency_key <= $2 AND created_at > $3"""
_DROP_KEYS = """
DELETE FROM message_keys
WHERE idempotency_key > $1 AND idempotency_key <= $2
    AND (created_at < $3 OR (created_at > $4 AND message_id IN ANY_OF($5)))"""
_FOLLOWING = "SELECT id, created_at FROM messages WHERE id > $1 AND created_at <= $2 ORDER BY id LIMIT 1"
_KEYED = f"""
SELECT message_id FROM message_keys
WHERE idempotency_key > $1 AND idempotency_key <= $2 AND fingerprint <> {messages.FORGOTTEN}"""
_FORGET = f"""
UPDATE message_keys SET fingerprint = {messages.FORGOTTEN}
WHERE idempotency_key > $1 AND idempotency_key <= $2 AND message_id IN ANY_OF($3)"""


async def workspace_ids(tx: Transaction) -> list[WorkspaceId]:
    """Return the ids of all workspaces, in order."""
    return [row["id"] for row in await tx.fetch(_WORKSPACES)]


async def drop_old_events(tx: Transaction, workspace_id: WorkspaceId, before_ms: int) -> int:
    """Delete the oldest events up to the first young one, and move the floor. Returns how many were deleted."""
    rows = await tx.fetch(_OLDEST, workspace_id, tx.now, STEP_ROWS)
    old = old_prefix(rows, before_ms)
    if not old:
        return 0
    # Numbers have no gaps, so this range includes the rows that the query skipped.
    last = min(int(old[-1]["seq"]), int(old[0]["floor_seq"]) + STEP_ROWS)
    await tx.execute(_RAISE_FLOOR, workspace_id, last)
    await eras.prune(tx, workspace_id, last)
    return await tx.execute(_DROP_EVENTS, workspace_id, last)


async def next_keys(tx: Transaction, after: bytes) -> list[bytes]:
    """Return the next distinct keys after the key `after`, in order."""
    return sorted({bytes(row["idempotency_key"]) for row in await tx.fetch(_KEYS, after, STEP_ROWS)})


async def drop_old_keys(tx: Transaction, after: bytes, last: bytes, before_ms: int) -> int:
    """Examine the keys after the key `after`, up to `last`. Delete old keys, and replace the fingerprints of deleted
    messages by FORGOTTEN. Returns how many were deleted."""
    ahead = sorted(int(row["message_id"]) for row in await tx.fetch(_AHEAD, after, last, tx.now))
    dropped = await tx.execute(_DROP_KEYS, after, last, before_ms, tx.now, await _old_messages(tx, ahead, before_ms))
    keyed = [row["message_id"] for row in await tx.fetch(_KEYED, after, last)]
    gone = set(keyed) - await messages.kept(tx, keyed)
    if gone:
        await tx.execute(_FORGET, after, last, sorted(gone))
    return dropped


async def _old_messages(tx: Transaction, message_ids: list[int], before_ms: int) -> list[int]:
    """Return the old ones of messages that are dated in the future. A message is old if an old message follows it."""
    old: list[int] = []
    while message_ids:
        following = await tx.fetchrow(_FOLLOWING, message_ids[0], tx.now)
        if following is None:
            break
        count = bisect_left(message_ids, following["id"])
        if following["created_at"] < before_ms:
            old += message_ids[:count]
        message_ids = message_ids[count:]
    return old
