"""Changes chats: name and description, archiving, deletion."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from fechatter.audit.record import Act
from fechatter.canonical.names import key_of
from fechatter.chats import announcements, default_channel, names
from fechatter.chats.access import check_access, record_of_chat
from fechatter.chats.views import chat_of
from fechatter.errors import Invalid
from fechatter.model import Actor, Chat, ChatId
from fechatter.rights.table import ChatAction
from fechatter.storage import chats, events, members
from fechatter.storage.chats import ChatRow
from fechatter.storage.engines.base import Transaction


class ChatUpdate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The changes; fields that are left out stay unchanged. `name: null` removes a group's name."""

    name: Annotated[str | None, Meta(examples=["news"])] | UnsetType = UNSET
    description: Annotated[str, Meta(examples=["What is new"])] | UnsetType = UNSET
    archived: Annotated[bool, Meta(description="An archived chat can be read, but not changed.")] | UnsetType = UNSET

    @property
    def renames(self) -> bool:
        return self.name is not UNSET or self.description is not UNSET


async def change(tx: Transaction, actor: Actor, chat_id: ChatId, wanted: ChatUpdate) -> Chat:
    """Change a chat. If no value changes, there is no event.

    Raises:
        NotFound, Forbidden: see `rights`; an archived chat can be renamed only in the request that unarchives it.
        Invalid: a text is not allowed.
        Conflict: `name_taken`.
    """
    chat = await _check(tx, actor, chat_id, wanted)
    new = changed(chat, wanted, tx.now)
    if new == chat:
        return await chat_of(tx, actor, chat_id)
    if new.name != chat.name:
        await names.check_free(tx, actor.workspace_id, chat.chat_type, new.name, chat_id=chat_id)
    key = None if new.name is None else key_of(new.name)
    await chats.change(tx, chat_id, new.name, key, new.description, new.archived_at)
    if (new.name, new.description) != (chat.name, chat.description):
        await record_of_chat(tx, actor, chat, Act.CHAT_RENAMED)
    if (new.archived_at is None) != (chat.archived_at is None):
        await record_of_chat(tx, actor, chat, Act.CHAT_UNARCHIVED if new.archived_at is None else Act.CHAT_ARCHIVED)
    now = await announcements.state_of(tx, actor.workspace_id, chat_id)
    rights = new.archived_at != chat.archived_at
    await events.append(tx, actor.workspace_id, [announcements.updated(now)], rights=rights)
    return await chat_of(tx, actor, chat_id)


async def _check(tx: Transaction, actor: Actor, chat_id: ChatId, wanted: ChatUpdate) -> ChatRow:
    chat = await check_access(tx, actor, chat_id, ChatAction.ARCHIVE)
    if wanted.renames and wanted.archived is not False:
        await check_access(tx, actor, chat_id, ChatAction.RENAME)
    errors = names.errors(chat.chat_type, wanted.name) if wanted.name is not UNSET else []
    if wanted.description is not UNSET:
        errors = [*errors, *names.description_errors(wanted.description)]
    if errors:
        raise Invalid(errors)
    return chat


def changed(chat: ChatRow, wanted: ChatUpdate, now: int) -> ChatRow:
    """Return the chat after the change. Archiving an archived chat does not change `archived_at`."""
    archived_at = chat.archived_at
    if wanted.archived is not UNSET:
        archived_at = (archived_at or now) if wanted.archived else None
    return msgspec.structs.replace(
        chat,
        name=chat.name if wanted.name is UNSET else wanted.name,
        description=chat.description if wanted.description is UNSET else wanted.description,
        archived_at=archived_at,
    )


async def delete(tx: Transaction, actor: Actor, chat_id: ChatId) -> None:
    """Delete the chat for everybody; its name is free again. Raises NotFound, Forbidden."""
    chat = await check_access(tx, actor, chat_id, ChatAction.DELETE)
    await record_of_chat(tx, actor, chat, Act.CHAT_DELETED)
    first = await events.reserve(tx, actor.workspace_id, 1, rights=True)
    await members.leave_all(tx, chat_id, first)
    await chats.delete(tx, chat_id)
    await events.insert(tx, actor.workspace_id, first, [announcements.deleted(chat_id)])
    await default_channel.forget(tx, actor.workspace_id, chat_id)
