"""Chats as their members see them. A page needs three queries, whatever its size."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from fechatter.chats.access import check_access
from fechatter.model import Actor, Chat, ChatId, Member, Message, UserSummary, optional_timestamp, timestamp
from fechatter.rights.table import ChatAction
from fechatter.storage import chats, members, messages
from fechatter.storage.chats import ChatRow
from fechatter.storage.engines.base import Transaction

READ_CHATS = 1_000
PIECE_CHATS = 50
PIECES_WITHOUT_PAUSE = 10
"""Few people are in more than 500 chats, so almost all responses are made without a pause."""


async def chats_of(tx: Transaction, actor: Actor, *, after: int = 0, limit: int) -> list[Chat]:
    """Return up to `limit` chats that the actor is in, ordered by id, with ids above `after`."""
    return await _views(tx, await chats.mine(tx, actor.user_id, after, limit))


async def encoded_chats_of(tx: Transaction, actor: Actor, *, limit: int) -> bytes:
    """Return the JSON array of up to `limit` of the actor's chats, ordered by id.

    Pauses between pieces of the array let other work run.
    """
    pieces: list[bytes] = []
    after = 0
    while left := min(READ_CHATS, limit - len(pieces) * PIECE_CHATS):
        rows = await chats.mine(tx, actor.user_id, after, left)
        for first in range(0, len(rows), PIECE_CHATS):
            views = await _views(tx, rows[first : first + PIECE_CHATS])
            pieces.append(msgspec.json.encode(views)[1:-1])
            if len(pieces) > PIECES_WITHOUT_PAUSE:
                await tx.pause()
        if len(rows) < left:
            break
        after = rows[-1].id
    return b"[" + b",".join(pieces) + b"]"


async def chat_of(tx: Transaction, actor: Actor, chat_id: ChatId) -> Chat:
    """Return a chat that the actor is in. Raises NotFound."""
    row = await check_access(tx, actor, chat_id, ChatAction.READ)
    return (await _views(tx, [row]))[0]


async def members_of(tx: Transaction, actor: Actor, chat_id: ChatId, *, after: int, limit: int) -> list[Member]:
    """Return up to `limit` members of a chat that the actor is in, ordered by user id, with ids above `after`.

    Raises:
        NotFound: the actor is not in the chat.
    """
    await check_access(tx, actor, chat_id, ChatAction.READ)
    return await members.page(tx, chat_id, after, limit)


async def _views(tx: Transaction, rows: Sequence[ChatRow]) -> list[Chat]:
    if not rows:
        return []
    shown = await members.first_of(tx, [row.id for row in rows])
    last = await messages.many(tx, [row.last_message_id for row in rows if row.last_message_id is not None])
    return [view(row, shown[row.id], last.get(row.last_message_id or 0)) for row in rows]


def view(row: ChatRow, shown: list[UserSummary], last_message: Message | None) -> Chat:
    """Return the Chat of a row; `shown` are its first members."""
    return Chat(
        id=row.id,
        chat_type=row.chat_type,
        name=row.name,
        description=row.description,
        owner_id=row.owner_id,
        member_count=row.member_count,
        members=shown,
        created_at=timestamp(row.created_at),
        updated_at=timestamp(row.updated_at),
        archived_at=optional_timestamp(row.archived_at),
        last_number=row.last_number,
        last_message=last_message,
        last_read_number=row.my_read_number,
        read_revision=row.my_read_revision,
        unread_count=row.unread_count,
        starred=bool(row.my_starred),
        muted=bool(row.my_muted),
    )
