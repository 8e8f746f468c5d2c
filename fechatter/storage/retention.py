"""Deletes the content of messages that are older than the retention period, one small step per transaction.

The result equals a deletion by a person: the row keeps its number, without content, extras or versions, and
clients get `message.deleted`. So numbers stay without gaps, and a repeated send still finds its message by its key.
"""

from __future__ import annotations

from typing import Final

import msgspec

from fechatter.events import EventType
from fechatter.model import ChatId, MessageId, WorkspaceId
from fechatter.storage import events, messages
from fechatter.storage.ages import old_prefix
from fechatter.storage.engines.base import Transaction

LOOK_ROWS: Final = 1000

_NEXT = "SELECT m.id, m.created_at FROM messages m WHERE m.id > $1 AND m.created_at <= $2 ORDER BY m.id LIMIT $3"
_RANGE = """
SELECT m.id, c.workspace_id, (m.deleted_at IS NULL AND c.deleted_at IS NULL) AS filled
FROM messages m JOIN chats c ON c.id = m.chat_id WHERE m.id > $1 AND m.id <= $2 ORDER BY m.id LIMIT $3"""


class Due(msgspec.Struct, frozen=True):
    """Messages to empty.

    Attributes:
        messages: the ids of the messages, by workspace.
        last_id: the last id that was examined.
        more: whether more old messages may follow `last_id`.
    """

    messages: dict[WorkspaceId, list[MessageId]]
    last_id: int
    more: bool


async def due(tx: Transaction, after: int, before_ms: int) -> Due:
    """Examine the next messages after the id `after`, and return those older than `before_ms` (see `ages`)."""
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
    """Empty those messages that are not deleted yet, with an event for each; return their number."""
    emptied = await messages.empty(tx, message_ids)
    if emptied:
        drafts = [_draft(message_id, chat_id) for message_id, chat_id in emptied]
        await events.append(tx, workspace_id, drafts, rights=False)
    return len(emptied)


def _draft(message_id: MessageId, chat_id: ChatId) -> events.Draft:
    return events.Draft(EventType.MESSAGE_DELETED, chat_id=chat_id, message_id=message_id)
