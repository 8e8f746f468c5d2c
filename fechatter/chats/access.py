"""The door to a chat: every room that touches one comes through here."""

from __future__ import annotations

from fechatter.audit.record import Act, record
from fechatter.errors import NotFound
from fechatter.model import Actor, ChatId
from fechatter.rights.chats import check_action, standing
from fechatter.rights.table import ChatAction
from fechatter.storage import chats
from fechatter.storage.chats import ChatRow
from fechatter.storage.engines.base import Transaction


async def check_access(tx: Transaction, actor: Actor, chat_id: ChatId, action: ChatAction) -> ChatRow:
    """The chat, when `actor` may do this with it.

    Raises:
        NotFound: it is not there, of another workspace, or hidden.
        Forbidden: it is visible, but this is not allowed.
    """
    chat = await chats.find(tx, actor.workspace_id, chat_id, actor.user_id)
    if chat is None:
        raise NotFound()
    check_on(actor, chat, action)
    return chat


def check_on(actor: Actor, chat: ChatRow, action: ChatAction) -> None:
    """`check_access` of a chat that was read before, in the same transaction."""
    who = standing(actor.role, chat.my_role)
    check_action(action, chat.chat_type, who, archived=chat.archived_at is not None)


async def record_of_chat(tx: Transaction, actor: Actor, chat: ChatRow, act: Act, **after: int) -> None:
    """Write an act into the audit log, unless it is the chat's owner's own; the chat's name stays with its members."""
    if chat.owner_id != actor.user_id:
        await record(tx, actor, act, chat.id, {"chat_type": chat.chat_type, "owner_id": chat.owner_id}, after or None)
