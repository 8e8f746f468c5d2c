"""Editing and deleting messages.

Senders may do both. The chat's owner, and workspace admins who are members of the chat, may delete.
"""

from __future__ import annotations

from typing import Final

from fechatter.audit.record import Act, record
from fechatter.chats.access import check_access, check_on
from fechatter.errors import Forbidden, NotFound
from fechatter.events import EventType
from fechatter.model import Actor, ChatId, Message, MessageId
from fechatter.rights.table import ChatAction
from fechatter.storage import events, messages
from fechatter.storage.engines.base import Transaction

MAX_EDITS: Final = 1000
"""Maximum number of edits of one message, because every earlier content is stored."""


async def edit(tx: Transaction, actor: Actor, chat_id: ChatId, message_id: MessageId, content: str) -> Message:
    """Change a message's content and return the message as it is then. The same content again changes nothing.

    Raises:
        NotFound: the actor cannot see the chat, or the chat has no such message.
        Forbidden: the actor may not edit it, it was deleted, or it was edited `MAX_EDITS` times.
    """
    chat = await check_access(tx, actor, chat_id, ChatAction.READ)
    found = await messages.one(tx, chat_id, message_id)
    if found is None:
        raise NotFound
    own = found.sender_id == actor.user_id
    check_on(actor, chat, ChatAction.EDIT_OWN if own else ChatAction.EDIT_OTHERS)
    if found.deleted_at is not None:
        raise Forbidden("This message was deleted.", code="message_deleted")
    if found.content == content:
        return found
    if found.revision > MAX_EDITS:
        raise Forbidden(f"A message can be edited at most {MAX_EDITS} times.", code="too_many_edits")
    seq = await events.reserve(tx, actor.workspace_id, 1, rights=False)
    await messages.edit(tx, message_id, content, seq)
    await events.insert(tx, actor.workspace_id, seq, [_draft(EventType.MESSAGE_EDITED, chat_id, message_id)])
    edited = await messages.one(tx, chat_id, message_id)
    if edited is None:
        raise NotFound
    return edited


async def delete(tx: Transaction, actor: Actor, chat_id: ChatId, message_id: MessageId) -> None:
    """Delete a message, unless it is deleted already.

    Raises:
        NotFound: the actor cannot see the chat, or the chat has no such message.
        Forbidden: the actor may not delete it.
    """
    chat = await check_access(tx, actor, chat_id, ChatAction.READ)
    found = await messages.one(tx, chat_id, message_id)
    if found is None:
        raise NotFound
    own = found.sender_id == actor.user_id
    check_on(actor, chat, ChatAction.DELETE_OWN if own else ChatAction.DELETE_OTHERS)
    if found.deleted_at is not None:
        return
    if not own and chat.owner_id != actor.user_id:
        await record(tx, actor, Act.MESSAGE_DELETED, message_id, {"chat_id": chat_id, "sender_id": found.sender_id})
    await messages.empty(tx, [message_id])
    await events.append(tx, actor.workspace_id, [_draft(EventType.MESSAGE_DELETED, chat_id, message_id)], rights=False)


def _draft(event_type: EventType, chat_id: ChatId, message_id: MessageId) -> events.Draft:
    return events.Draft(event_type, chat_id=chat_id, message_id=message_id)
