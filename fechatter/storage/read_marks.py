"""Read marks: up to which number of a chat a person has read. State, not events, and it only moves forward."""

from __future__ import annotations

from fechatter.model import ChatId, UserId
from fechatter.storage.engines.base import Transaction

_ADVANCE = """
INSERT INTO read_marks (chat_id, user_id, number) VALUES ($1, $2, $3)
ON CONFLICT (chat_id, user_id) DO UPDATE SET number = excluded.number WHERE read_marks.number < excluded.number"""
_OF = """
SELECT r.chat_id, r.number FROM read_marks r JOIN memberships m ON m.chat_id = r.chat_id AND m.user_id = r.user_id
WHERE m.user_id = $1 AND m.left_seq IS NULL ORDER BY r.chat_id"""
_START = """
INSERT INTO read_marks (chat_id, user_id, number)
SELECT m.chat_id, m.user_id, h.last_number FROM memberships m JOIN chat_heads h ON h.chat_id = m.chat_id
WHERE m.chat_id = $1 AND m.user_id IN ANY_OF($2) AND h.last_number > 0
ON CONFLICT (chat_id, user_id) DO UPDATE SET number = excluded.number"""


async def advance(tx: Transaction, chat_id: ChatId, user_id: UserId, number: int) -> bool:
    """Move one mark forward; False when it stood there or further already."""
    return await tx.execute(_ADVANCE, chat_id, user_id, number) > 0


async def start(tx: Transaction, chat_id: ChatId, user_ids: list[UserId]) -> None:
    """Give those who just joined the chat's last number: nothing is unread."""
    await tx.execute(_START, chat_id, user_ids)


async def of(tx: Transaction, user_id: UserId) -> list[tuple[ChatId, int]]:
    """The person's marks in the chats it is in now."""
    return [(row["chat_id"], row["number"]) for row in await tx.fetch(_OF, user_id)]
