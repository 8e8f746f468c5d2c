"""Rows of timelines: numbered sequences of messages, each with a head.

A timeline has its own numbers without gaps, and each person has a read mark in it. The timeline of a chat has the
chat's id. A message with a `thread_id` belongs to the timeline with that id; ids are unique over all tables. The table
is narrow, because every message changes it.
"""

from __future__ import annotations

from typing import Final

from fechatter.model import ChatId
from fechatter.storage.engines.base import Transaction

_INSERT = "INSERT INTO timelines (id) VALUES ($1)"


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


async def begin(tx: Transaction, chat_id: ChatId) -> None:
    """Store the timeline of a new chat, with its head at number 0."""
    await tx.execute(_INSERT, chat_id)


async def note_deletions(tx: Transaction, chat_ids: list[ChatId]) -> None:
    """Update `emptied_through` of these chats after deletions. Over all calls, each message is read once."""
    await tx.execute(_EMPTIED, chat_ids)
