"""Access to chats: every action on a chat is checked here."""

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
    """Return the chat if the actor's rights allow the action.

    Raises:
        NotFound: the chat does not exist, belongs to another workspace, or is hidden.
        Forbidden: the chat is visible, but the action is not allowed.
    """
    chat = await chats.find(tx, actor.workspace_id, chat_id, actor.user_id)
    if chat is None:
        raise NotFound()
    check_on(actor, chat, action)
    return chat


def check_on(actor: Actor, chat: ChatRow, action: ChatAction) -> None:
    """Check the action like `check_access`, for a chat that was already read in the same transaction.

    Raises:
        NotFound: the chat is hidden.
        Forbidden: the chat is visible, but the action is not allowed.
    """
    who = standing(actor.role, chat.my_role)
    check_action(action, chat.chat_type, who, archived=chat.archived_at is not None)


async def record_of_chat(tx: Transaction, actor: Actor, chat: ChatRow, act: Act, **after: int) -> None:
    """Record an act in the audit log, unless the chat's owner does it. The entry does not contain the chat's
    name, which is private."""
    if chat.owner_id != actor.user_id:
        await record(tx, actor, act, chat.id, {"chat_type": chat.chat_type, "owner_id": chat.owner_id}, after or None)
