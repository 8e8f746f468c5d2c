"""Erases the contents of deleted chats, one small step per transaction.

`chats.delete` hides a chat at once and clears its name and description. The functions here then delete its messages and
read marks, and clear its events. A chat without a row in `timelines` is fully erased. Its memberships stay, because a
replay shows the end of the chat to its former members.
"""

from __future__ import annotations

from typing import Final

import msgspec

from fechatter.events import EventType
from fechatter.model import ChatId, WorkspaceId
from fechatter.storage.engines.base import Transaction
from fechatter.storage.event_types import TYPE_CODES
from fechatter.storage.timelines import timeline_of

STEP_MESSAGES: Final = 200
STEP_EVENTS: Final = 2000
AT_ONCE: Final = 100
AFTER_MS: Final = 60_000
"""After this time no node reads the chat's events any more to fill a gap; a stream that is so far behind is closed."""

_WITH_CONTENT = ", ".join(str(TYPE_CODES[each]) for each in (EventType.CHAT_UPDATED, EventType.MEMBER_JOINED))
_DELETED = """
SELECT c.id, c.workspace_id FROM chats c JOIN timelines h ON h.id = c.id
WHERE (c.deleted_at < $1 OR c.deleted_at > $2) AND c.id > $3 ORDER BY c.id LIMIT $4"""
_MESSAGES = f"SELECT m.id FROM messages m WHERE {timeline_of('m')} = $1 ORDER BY m.number LIMIT $2"
_DROP_VERSIONS = "DELETE FROM message_versions WHERE message_id IN ANY_OF($1)"
_DROP_MESSAGES = "DELETE FROM messages WHERE id IN ANY_OF($1)"
_REACH = "SELECT floor_seq, event_seq FROM workspaces WHERE id = $1"
_CLEAR_EVENTS = f"""
UPDATE events SET data = NULL
WHERE workspace_id = $1 AND seq > $2 AND seq <= $3 AND type IN ({_WITH_CONTENT}) AND chat_id IN ANY_OF($4)"""
_DROP_MARKS = "DELETE FROM read_marks WHERE timeline_id IN ANY_OF($1)"
_DROP_HEADS = "DELETE FROM timelines WHERE id IN ANY_OF($1)"


class DeletedChat(msgspec.Struct, frozen=True):
    """A deleted chat that is not erased yet."""

    id: ChatId
    workspace_id: WorkspaceId


async def deleted_chats(tx: Transaction, after: int) -> list[DeletedChat]:
    """Return chats to erase, by id, after the id `after`. A deletion dated far in the future does not wait for its
    date."""
    return [DeletedChat(*row) for row in await tx.fetch(_DELETED, tx.now - AFTER_MS, tx.now + AFTER_MS, after, AT_ONCE)]


async def drop_messages(tx: Transaction, chat: DeletedChat) -> int:
    """Delete the next messages and their earlier contents; returns how many."""
    ids = [row["id"] for row in await tx.fetch(_MESSAGES, chat.id, STEP_MESSAGES)]
    if ids:
        await drop_rows(tx, ids)
    return len(ids)


async def drop_rows(tx: Transaction, message_ids: list[int]) -> None:
    """Delete these messages and their earlier contents."""
    await tx.execute(_DROP_VERSIONS, message_ids)
    await tx.execute(_DROP_MESSAGES, message_ids)


async def clear_events(tx: Transaction, workspace_id: WorkspaceId, chat_ids: list[ChatId], after: int) -> int | None:
    """Remove names, descriptions and people from the next events of these chats.

    The events keep their numbers, and nobody is shown them any more. Returns the number after which the next step
    starts, or None at the end.
    """
    reach = await tx.fetchrow(_REACH, workspace_id)
    if reach is None:
        return None
    first = max(after, int(reach["floor_seq"]))
    last = min(first + STEP_EVENTS, int(reach["event_seq"]))
    await tx.execute(_CLEAR_EVENTS, workspace_id, first, last, chat_ids)
    return last if last < reach["event_seq"] else None


async def finish(tx: Transaction, chat_ids: list[ChatId]) -> None:
    """Delete the read marks and heads of chats without messages; the chats are then fully erased."""
    await tx.execute(_DROP_MARKS, chat_ids)
    await tx.execute(_DROP_HEADS, chat_ids)
