"""Emptying messages that are kept no longer, a small step a transaction.

What stays is what stays of a message that somebody deleted: its place and number, without content or versions. So numbers keep no gap,
what is sent again under an old key still finds its first message, and clients learn of it by `message.deleted` as ever.
"""

from __future__ import annotations

from typing import Final

import msgspec

from fechatter.events import EventType
from fechatter.model import ChatId, MessageId, WorkspaceId
from fechatter.storage import events, timelines
from fechatter.storage.ages import old_prefix
from fechatter.storage.engines.base import Transaction

LOOK_ROWS: Final = 1000

_NEXT = "SELECT m.id, m.created_at FROM messages m WHERE m.id > $1 AND m.created_at <= $2 ORDER BY m.id LIMIT $3"
_RANGE = """
SELECT m.id, c.workspace_id, (m.deleted_at IS NULL AND c.deleted_at IS NULL) AS filled
FROM messages m JOIN chats c ON c.id = m.chat_id WHERE m.id > $1 AND m.id <= $2 ORDER BY m.id LIMIT $3"""
_EMPTY = """
UPDATE messages SET content = '', extras = NULL, deleted_at = $2
WHERE id IN ANY_OF($1) AND deleted_at IS NULL RETURNING id, chat_id"""
_DROP_VERSIONS = "DELETE FROM message_versions WHERE message_id IN ANY_OF($1)"


class Due(msgspec.Struct, frozen=True):
    """What was found: messages to empty by workspace, the last id looked at, and whether there may be more beyond it."""

    messages: dict[WorkspaceId, list[MessageId]]
    last_id: int
    more: bool


async def due(tx: Transaction, after: int, before_ms: int) -> Due:
    """Look at the next old messages by id, beyond `after` (see `ages`)."""
    dated = await tx.fetch(_NEXT, after, tx.now, LOOK_ROWS)
    old = old_prefix(dated, before_ms)
    if not old:
        return Due({}, after, more=False)
    upto, found = int(old[-1]["id"]), dict[WorkspaceId, list[MessageId]]()
    rows = await tx.fetch(_RANGE, after, upto, LOOK_ROWS)
    for row in rows:
        if row["filled"]:
            found.setdefault(row["workspace_id"], []).append(row["id"])
    if len(rows) == LOOK_ROWS and rows[-1]["id"] < upto:
        return Due(found, rows[-1]["id"], more=True)
    return Due(found, upto, more=len(old) == LOOK_ROWS)


async def empty(tx: Transaction, workspace_id: WorkspaceId, message_ids: list[MessageId]) -> int:
    """Empty those that nobody has deleted meanwhile; returns how many."""
    rows = sorted((row["id"], row["chat_id"]) for row in await tx.fetch(_EMPTY, message_ids, tx.now))
    if rows:
        await tx.execute(_DROP_VERSIONS, [message_id for message_id, _ in rows])
        await timelines.note_deletions(tx, sorted({ChatId(chat_id) for _, chat_id in rows}))
        await events.append(tx, workspace_id, [_draft(MessageId(message), ChatId(chat)) for message, chat in rows], rights=False)
    return len(rows)


def _draft(message_id: MessageId, chat_id: ChatId) -> events.Draft:
    return events.Draft(EventType.MESSAGE_DELETED, chat_id=chat_id, message_id=message_id)
