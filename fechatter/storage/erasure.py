"""Erases the contents of deleted chats, one small step per transaction.

`chats.delete` hides a chat at once and clears its name and description. The functions here then delete its messages,
threads and read marks, and clear its events. A chat without a row in `timelines` is fully erased. Its memberships stay,
because a replay shows the end of the chat to its former members.
"""

from __future__ import annotations

from typing import Final

import msgspec

from fechatter.events import EventType
from fechatter.model import ChatId, WorkspaceId
from fechatter.storage import timelines
from fechatter.storage.engines.base import Transaction
from fechatter.storage.event_types import TYPE_CODES
from fechatter.storage.timelines import timeline_of

STEP_MESSAGES: Final = 200
STEP_TIMELINES: Final = 20
STEP_EVENTS: Final = 2000
AT_ONCE: Final = 100
"""Maximum number of chats that `deleted_chats` returns."""
AFTER_MS: Final = 60_000
"""After this time, no node reads the chat's events to fill a gap. A stream that is this far behind is closed."""

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


class DeletedChat(msgspec.Struct, frozen=True):
    """A deleted chat that is not erased yet."""

    id: ChatId
    workspace_id: WorkspaceId


class Dropped(msgspec.Struct, frozen=True):
    """A step: how many messages were deleted, and whether the chat may have more."""

    messages: int
    more: bool


async def deleted_chats(tx: Transaction, after: int) -> list[DeletedChat]:
    """Return chats to erase, by id, after the id `after`.

    These are chats that were deleted more than AFTER_MS ago, or whose deletion is dated that far in the future.
    """
    return [DeletedChat(*row) for row in await tx.fetch(_DELETED, tx.now - AFTER_MS, tx.now + AFTER_MS, after, AT_ONCE)]


async def drop_messages(tx: Transaction, chat_id: ChatId, limit: int) -> Dropped:
    """Delete the next messages of the chat with their earlier contents, and threads that have no messages left.

    The chat's own timeline stays, so the work can be continued.
    """
    message_ids, emptied = list[int](), list[int]()
    found = await timelines.newest(tx, chat_id, STEP_TIMELINES)
    for timeline_id in found:
        message_ids += [row["id"] for row in await tx.fetch(_MESSAGES, timeline_id, limit - len(message_ids))]
        if len(message_ids) == limit:
            break
        emptied.append(timeline_id)
    if message_ids:
        await tx.execute(_DROP_VERSIONS, message_ids)
        await tx.execute(_DROP_MESSAGES, message_ids)
    threads = [timeline_id for timeline_id in emptied if timeline_id != chat_id]
    if threads:
        await timelines.drop(tx, threads)
    return Dropped(len(message_ids), more=bool(found) and chat_id not in emptied)


async def clear_events(tx: Transaction, workspace_id: WorkspaceId, chat_ids: list[ChatId], after: int) -> int | None:
    """Remove names, descriptions and people from the next events of these chats.

    The events keep their numbers, and no client receives them any more. Returns the number after which the next step
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
    """Delete the read marks and heads of chats without messages and threads; the chats are then fully erased."""
    await timelines.drop(tx, chat_ids)
