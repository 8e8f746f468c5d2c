"""Read marks: the number up to which a person has read a timeline.

The functions here read and move the marks of chats' own timelines. Only `start` also moves marks in threads.

Read marks are state, not events. Within a revision, a mark only moves forward; "mark as unread" begins the next
revision. Unread = the timeline's last number - the mark - the number of deleted messages above the mark.
"""

from __future__ import annotations

from collections.abc import Sequence

from fechatter.model import ChatId, ReadMark, UserId, WorkspaceId
from fechatter.storage import events
from fechatter.storage.engines.base import Row, Transaction
from fechatter.storage.timelines import timeline_of

_BEYOND = "CASE WHEN h.emptied_through > COALESCE(r.number, 0) THEN h.emptied_through ELSE COALESCE(r.number, 0) END"
DELETED_ABOVE = f"""
    ({_BEYOND} - COALESCE(r.number, 0)
        + (SELECT COUNT(*) FROM messages d
            WHERE {timeline_of("d")} = h.id AND d.number > {_BEYOND} AND d.deleted_at IS NOT NULL))"""
"""SQL for the number of deleted messages above the mark. `h` is a row of timelines, `r` of read_marks or NULL."""

_ADVANCE = """
INSERT INTO read_marks (timeline_id, user_id, number) VALUES ($1, $2, $3)
ON CONFLICT (timeline_id, user_id) DO UPDATE SET number = excluded.number WHERE read_marks.number < excluded.number"""
_PUT_BACK = """
INSERT INTO read_marks (timeline_id, user_id, number, revision) VALUES ($1, $2, $3, 1)
ON CONFLICT (timeline_id, user_id) DO UPDATE SET number = excluded.number, revision = read_marks.revision + 1"""
_OF = f"""
SELECT h.id AS chat_id, COALESCE(r.number, 0) AS number, COALESCE(r.revision, 0) AS revision,
    {DELETED_ABOVE} AS deleted_above
FROM memberships m JOIN timelines h ON h.id = m.chat_id
    LEFT JOIN read_marks r ON r.timeline_id = m.chat_id AND r.user_id = m.user_id
WHERE m.user_id = $1 AND m.left_seq IS NULL AND m.chat_id"""
_ALL = f"{_OF} > 0 ORDER BY m.chat_id"
_ONE = f"{_OF} = $2"
_FIRST_UNREAD = f"""
SELECT n.number FROM timelines h LEFT JOIN read_marks r ON r.timeline_id = h.id AND r.user_id = $2
    JOIN messages n ON {timeline_of("n")} = h.id AND n.number > {_BEYOND} AND n.deleted_at IS NULL
WHERE h.id = $1 ORDER BY n.number LIMIT 1"""
_SHOWN = """
SELECT m.user_id, r.number
FROM memberships m JOIN users u ON u.id = m.user_id
    JOIN read_marks r ON r.timeline_id = m.chat_id AND r.user_id = m.user_id
WHERE m.chat_id = $1 AND m.user_id <> $2 AND m.left_seq IS NULL AND u.sends_receipts = 1
ORDER BY m.user_id"""
_REVISIONS = "SELECT user_id, revision FROM read_marks WHERE timeline_id = $1 AND user_id IN ANY_OF($2)"
_START = """
INSERT INTO read_marks (timeline_id, user_id, number)
SELECT h.id, m.user_id, h.last_number
FROM memberships m JOIN timelines h ON h.chat_id = m.chat_id
    LEFT JOIN read_marks r ON r.timeline_id = h.id AND r.user_id = m.user_id
WHERE m.chat_id = $1 AND m.user_id IN ANY_OF($2) AND h.last_number > 0 AND (h.id = m.chat_id OR r.number IS NOT NULL)
ON CONFLICT (timeline_id, user_id) DO UPDATE SET number = excluded.number"""


async def advance(tx: Transaction, chat_id: ChatId, user_id: UserId, number: int) -> None:
    """Move a mark forward to `number` within its revision; a lower number changes nothing."""
    await tx.execute(_ADVANCE, chat_id, user_id, number)


async def put_back(tx: Transaction, chat_id: ChatId, user_id: UserId, number: int) -> None:
    """Set a mark to `number` and begin its next revision, for "mark as unread"."""
    await tx.execute(_PUT_BACK, chat_id, user_id, number)


async def start(tx: Transaction, chat_id: ChatId, user_ids: list[UserId]) -> None:
    """Set the marks of people who just joined to the last number: nothing is unread.

    In a thread, only a mark that exists is moved, so a first-time member costs one row however many threads there are.
    """
    await tx.execute(_START, chat_id, user_ids)


async def revisions(tx: Transaction, chat_id: ChatId, user_ids: list[UserId]) -> dict[UserId, int]:
    """Return the revisions of these people's marks in the chat; people without a mark are left out."""
    return {row["user_id"]: row["revision"] for row in await tx.fetch(_REVISIONS, chat_id, user_ids)}


async def of(tx: Transaction, user_id: UserId, seq: int) -> list[ReadMark]:
    """Return the person's marks in all their chats, as of the event `seq`. A chat without a mark has the mark 0."""
    return [_mark(row, seq) for row in await tx.fetch(_ALL, user_id)]


async def one(tx: Transaction, workspace_id: WorkspaceId, chat_id: ChatId, user_id: UserId) -> ReadMark:
    """Return a member's mark in one chat. Raises LookupError: the person is not a member."""
    row = await tx.fetchrow(_ONE, user_id, chat_id)
    if row is None:
        raise LookupError(f"{user_id} is not a member of chat {chat_id}")
    return _mark(row, (await events.heads(tx, workspace_id)).head)


async def shown(tx: Transaction, chat_id: ChatId, reader: UserId) -> Sequence[Row]:
    """Return the marks of the other members who show them; members without a mark are left out."""
    return await tx.fetch(_SHOWN, chat_id, reader)


def _mark(row: Row, seq: int) -> ReadMark:
    return ReadMark(row["chat_id"], row["number"], row["revision"], row["deleted_above"], seq)


async def first_unread(tx: Transaction, chat_id: ChatId, user_id: UserId) -> int | None:
    """Return the number of the first message above the mark that is not deleted, or None."""
    row = await tx.fetchrow(_FIRST_UNREAD, chat_id, user_id)
    return None if row is None else row["number"]
