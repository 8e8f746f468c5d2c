"""Repeated sends: one key of one sender in one chat makes one message.

A repeat is compared with the fingerprint of the content that was sent first. Its answer is the message as it is now. If
that message was deleted, its content is not available for the comparison, and the answer is the empty message.
"""

from __future__ import annotations

from uuid import UUID

from fechatter.errors import Conflict, NotFound, Problem
from fechatter.model import encode
from fechatter.native import MessageBatch
from fechatter.storage import messages
from fechatter.storage.engines.base import Database, Transaction


def fold(batch: MessageBatch) -> tuple[list[int], dict[int, int]]:
    """Return the rows to store, and a mapping from each repeat within the batch to the row that it repeats."""
    keys = batch.keys()
    if not any(keys):
        return list(range(len(batch))), {}
    chats, senders = batch.chat_ids.tolist(), batch.sender_ids.tolist()
    first: dict[tuple[bytes, int, int], int] = {}
    firsts, folded = [], {}
    for row, key in enumerate(keys):
        earlier = row if key is None else first.setdefault((key, chats[row], senders[row]), row)
        if earlier == row:
            firsts.append(row)
        else:
            folded[row] = earlier
    return firsts, folded


def conflict() -> Conflict:
    """Return the refusal of a repeat whose content differs from the first."""
    return Conflict("This idempotency key was used for another content.", code="idempotency_conflict")


def given_key(key: bytes) -> str:
    """Return the sender's key from its stored form: the 16 bytes of a UUID, or a text padded with NUL."""
    return str(UUID(bytes=key)) if len(key) == 16 else key.rstrip(b"\0").decode()


async def answers(database: Database, batch: MessageBatch, rows: list[int]) -> dict[int, tuple[int, bytes] | Problem]:
    """Return the answers for rows whose key is already stored. Runs on the writer's loop."""
    keys, chats, senders = batch.keys(), batch.chat_ids.tolist(), batch.sender_ids.tolist()
    fingerprints = batch.fingerprints.tolist()

    async def work(tx: Transaction) -> dict[int, tuple[int, bytes] | Problem]:
        found: dict[int, tuple[int, bytes] | Problem] = {}
        for row in rows:
            key = keys[row] or b""
            known = await messages.by_key(tx, key, chats[row], senders[row], given_key(key))
            if known is None:
                found[row] = NotFound()
            elif known[0] != fingerprints[row] and known[1].deleted_at is None:
                found[row] = conflict()
            else:
                found[row] = (200, encode(known[1]))
        return found

    return await database.read_on_writer(work)
