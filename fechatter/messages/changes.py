"""Editing and deleting: by the sender; deleting also by the chat's owner and the workspace's admins."""

from __future__ import annotations

from fechatter.chats.access import check_access
from fechatter.chats.rights import Action
from fechatter.errors import Forbidden, NotFound
from fechatter.model import Actor, ChatId, EventType, Message, MessageId, Role
from fechatter.storage import events, messages
from fechatter.storage.chats import ChatRow
from fechatter.storage.engines.base import Transaction


async def edit(tx: Transaction, actor: Actor, chat_id: ChatId, message_id: MessageId, content: str) -> Message:
    """Raises NotFound, Forbidden. The workspace must be locked."""
    chat = await check_access(tx, actor, chat_id, Action.READ)
    found = await messages.one(tx, chat_id, message_id)
    if found is None:
        raise NotFound
    if found.sender_id != actor.user_id:
        raise Forbidden("Only its sender edits a message.", code="not_the_sender")
    _check_open(chat)
    if found.deleted_at is not None:
        raise Forbidden("The message was deleted.", code="message_deleted")
    if found.content == content:
        return found
    seq = await events.reserve(tx, actor.workspace_id, 1, rights=False)
    await messages.edit(tx, message_id, content, seq)
    await events.insert(tx, actor.workspace_id, seq, [_draft(EventType.MESSAGE_EDITED, chat_id, message_id)])
    edited = await messages.one(tx, chat_id, message_id)
    if edited is None:
        raise NotFound
    return edited


async def delete(tx: Transaction, actor: Actor, chat_id: ChatId, message_id: MessageId) -> None:
    """Deleting what is deleted changes nothing. Raises NotFound, Forbidden. The workspace must be locked."""
    chat = await check_access(tx, actor, chat_id, Action.READ)
    found = await messages.one(tx, chat_id, message_id)
    if found is None:
        raise NotFound
    may = found.sender_id == actor.user_id or chat.my_role == "owner" or actor.role in (Role.OWNER, Role.ADMIN)
    if not may:
        raise Forbidden("Only its sender, the chat's owner and admins delete a message.", code="not_the_sender")
    _check_open(chat)
    if found.deleted_at is not None:
        return
    await messages.delete(tx, message_id)
    await events.append(tx, actor.workspace_id, [_draft(EventType.MESSAGE_DELETED, chat_id, message_id)], rights=False)


def _draft(event_type: EventType, chat_id: ChatId, message_id: MessageId) -> events.Draft:
    return events.Draft(event_type, chat_id=chat_id, message_id=message_id)


def _check_open(chat: ChatRow) -> None:
    if chat.archived_at is not None:
        raise Forbidden("The chat is archived.", code="chat_archived")
