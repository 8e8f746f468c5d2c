"""How far someone has read: a mark that only moves forward, told to that person's other devices."""

from __future__ import annotations

from fechatter.chats.access import check_access
from fechatter.errors import Invalid
from fechatter.frames import Signal, control_block
from fechatter.model import Actor, ChatId, timestamp
from fechatter.rights.table import ChatAction
from fechatter.storage import read_marks
from fechatter.storage.engines.base import Transaction


async def mark_read(tx: Transaction, actor: Actor, chat_id: ChatId, number: int) -> None:
    """Move the actor's mark to `number`; a lower one changes nothing.

    Raises:
        NotFound: the actor is not in the chat.
        Invalid: no message has that number yet.
    """
    chat = await check_access(tx, actor, chat_id, ChatAction.READ)
    if number > chat.last_number:
        raise Invalid.field("/number", "out_of_range", f"The last message of this chat has number {chat.last_number}.")
    if number <= chat.my_read_number:
        return
    if await read_marks.advance(tx, chat_id, actor.user_id, number):
        tx.signals.append(Signal(actor.workspace_id, actor.user_id, _moved(actor, chat_id, number, tx.now)))


def _moved(actor: Actor, chat_id: ChatId, number: int, now: int) -> bytes:
    signal = {
        "type": "read.moved",
        "workspace_id": actor.workspace_id,
        "chat_id": chat_id,
        "at": timestamp(now),
        "data": {"read": {"chat_id": chat_id, "last_read_number": number}},
    }
    return control_block("read.moved", signal)
