"""Read marks: how far a person has read.

Every change of a mark is signalled to that person's devices, and every move forward to the others in a small chat.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from fechatter.chats.access import check_access
from fechatter.errors import Invalid
from fechatter.frames import RECEIPT, Signal, control_block
from fechatter.model import Actor, AnyChat, AnyUser, ChatId, LastReadNumber, ReadMark, timestamp
from fechatter.rights.table import ChatAction
from fechatter.storage import read_marks, users
from fechatter.storage.chats import ChatRow
from fechatter.storage.engines.base import Transaction

MAX_RECEIPT_MEMBERS = 100
"""In larger chats, receipts would be as many as the messages times the members."""


class Unread(msgspec.Struct, frozen=True):
    """The start of a person's unread messages."""

    last_read_number: int
    read_revision: int
    unread_count: int
    first_unread_number: Annotated[
        int | None,
        msgspec.Meta(description="The first message beyond `last_read_number` that is not deleted.", examples=[52]),
    ]


class ReceiptMoved(msgspec.Struct, frozen=True):
    """A signal to a chat of at most 100 members: another member has read up to `last_read_number`; the highest number
    wins. There is none for a person's own messages, which show by themselves how far the person has read."""

    chat_id: AnyChat
    user_id: AnyUser
    last_read_number: LastReadNumber


class Receipt(msgspec.Struct, frozen=True):
    """How far another member has read."""

    user_id: AnyUser
    last_read_number: LastReadNumber


class ChatReceipts(msgspec.Struct, frozen=True):
    """The read marks of the other members who show them."""

    items: list[Receipt]


async def mark_read(tx: Transaction, actor: Actor, chat_id: ChatId, number: int, revision: int | None = None) -> None:
    """Move the actor's mark to `number`; a lower number or an older revision changes nothing.

    Args:
        revision: the newest revision of the mark that the client knows; None means the current revision.

    Raises:
        NotFound: the actor is not in the chat.
        Invalid: no message has that number yet, or the mark never had that revision.
    """
    chat = await check_access(tx, actor, chat_id, ChatAction.READ)
    _check_number(chat, number)
    known = chat.my_read_revision if revision is None else revision
    if known > chat.my_read_revision:
        raise Invalid.field("/revision", "out_of_range", f"The read mark has revision {chat.my_read_revision}.")
    if known == chat.my_read_revision and number > chat.my_read_number:
        await read_marks.advance(tx, chat_id, actor.user_id, number)
        await _signal(tx, actor, chat_id)
        await _receipt(tx, actor, chat, number)


async def mark_unread(tx: Transaction, actor: Actor, chat_id: ChatId, number: int) -> ReadMark:
    """Set the actor's mark to the number before `number` and raise its revision; returns the mark.

    Raises:
        NotFound: the actor is not in the chat.
        Invalid: no message has that number.
    """
    chat = await check_access(tx, actor, chat_id, ChatAction.READ)
    _check_number(chat, number)
    await read_marks.put_back(tx, chat_id, actor.user_id, number - 1)
    return await _signal(tx, actor, chat_id)


async def unread_of(tx: Transaction, actor: Actor, chat_id: ChatId) -> Unread:
    """Return where the actor's unread messages begin. Raises NotFound."""
    chat = await check_access(tx, actor, chat_id, ChatAction.READ)
    first = await read_marks.first_unread(tx, chat_id, actor.user_id)
    return Unread(chat.my_read_number, chat.my_read_revision, chat.unread_count, first)


async def receipts_of(tx: Transaction, actor: Actor, chat_id: ChatId) -> ChatReceipts:
    """Return how far the other members of a small chat have read; nothing for a larger chat. Raises NotFound."""
    chat = await check_access(tx, actor, chat_id, ChatAction.READ)
    if chat.member_count > MAX_RECEIPT_MEMBERS:
        return ChatReceipts([])
    rows = await read_marks.shown(tx, chat_id, actor.user_id)
    return ChatReceipts([Receipt(row["user_id"], row["number"]) for row in rows])


def _check_number(chat: ChatRow, number: int) -> None:
    if number > chat.last_number:
        raise Invalid.field("/number", "out_of_range", f"The last message of this chat has number {chat.last_number}.")


async def _signal(tx: Transaction, actor: Actor, chat_id: ChatId) -> ReadMark:
    mark = await read_marks.one(tx, actor.workspace_id, chat_id, actor.user_id)
    signal = {
        "type": "read.moved",
        "workspace_id": actor.workspace_id,
        "chat_id": chat_id,
        "at": timestamp(tx.now),
        "data": {"read": msgspec.to_builtins(mark)},
    }
    tx.signals.append(Signal(actor.workspace_id, actor.user_id, control_block("read.moved", signal)))
    return mark


async def _receipt(tx: Transaction, actor: Actor, chat: ChatRow, number: int) -> None:
    """Show the other members of a small chat how far the actor has read, unless the actor does not want that."""
    if 1 < chat.member_count <= MAX_RECEIPT_MEMBERS and await users.sends_receipts(tx, actor.user_id):
        block = control_block("receipt.moved", ReceiptMoved(chat.id, actor.user_id, number))
        receipt = Signal.for_chat(actor.workspace_id, chat.id, block, except_user_id=actor.user_id, kind=RECEIPT)
        tx.signals.append(receipt)
