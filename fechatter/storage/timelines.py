"""Rows of timelines: numbered sequences of messages, each with a head.

A timeline has its own numbers without gaps, and each person has a read mark in it. A chat and each of its threads are
timelines. The chat's own timeline has the chat's id. The timeline of a thread has the id of the thread, which is the
`thread_id` of its messages; ids are unique over all tables. The table is narrow, because every message changes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fechatter.model import ChatId
from fechatter.storage.engines.base import Transaction

OF_CHAT: Final = "SELECT id FROM timelines WHERE chat_id = $1 AND id > $2 ORDER BY id LIMIT $3"
"""SQL for the timelines of a chat after an id. The chat's own timeline is the first, because ids ascend."""

_INSERT = "INSERT INTO timelines (id, chat_id) VALUES ($1, $2)"
_NEWEST = "SELECT id FROM timelines WHERE chat_id = $1 ORDER BY id DESC LIMIT $2"
_DROP_MARKS = "DELETE FROM read_marks WHERE timeline_id IN ANY_OF($1)"
_DROP = "DELETE FROM timelines WHERE id IN ANY_OF($1)"


def timeline_of(table: str) -> str:
    """Return the SQL for the timeline of a message; the indexes of `messages` contain this expression."""
    return f"COALESCE({table}.thread_id, {table}.chat_id)"


_EMPTIED: Final = f"""
UPDATE timelines SET emptied_through = COALESCE(
    (SELECT n.number - 1 FROM messages n WHERE {timeline_of("n")} = timelines.id
        AND n.number > timelines.emptied_through AND n.deleted_at IS NULL ORDER BY n.number LIMIT 1),
    last_number)
WHERE id IN ANY_OF($1) AND EXISTS (SELECT 1 FROM messages d WHERE {timeline_of("d")} = timelines.id
    AND d.number = timelines.emptied_through + 1 AND d.deleted_at IS NOT NULL)"""


async def begin(tx: Transaction, chat_id: ChatId, thread_id: int = 0) -> None:
    """Store the timeline of a new thread, or of a new chat (0), with its head at number 0."""
    await tx.execute(_INSERT, thread_id or chat_id, chat_id)


async def newest(tx: Transaction, chat_id: ChatId, limit: int) -> list[int]:
    """Return the newest timelines of a chat, newest first. The chat's own timeline is the oldest."""
    return [row["id"] for row in await tx.fetch(_NEWEST, chat_id, limit)]


async def drop(tx: Transaction, timeline_ids: Sequence[int]) -> None:
    """Delete timelines without messages, and their read marks."""
    await tx.execute(_DROP_MARKS, list(timeline_ids))
    await tx.execute(_DROP, list(timeline_ids))


async def note_deletions(tx: Transaction, timeline_ids: list[int]) -> None:
    """Update `emptied_through` of these timelines after deletions. Over all calls, each message is read once."""
    await tx.execute(_EMPTIED, timeline_ids)
