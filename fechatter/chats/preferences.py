"""One member's preferences for a chat: starred and muted. They are private and are removed when the membership ends."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from fechatter.chats.access import check_access
from fechatter.events import EventType, PreferencesData
from fechatter.model import Actor, ChatId, ChatPreferences
from fechatter.rights.table import ChatAction
from fechatter.storage import events, members
from fechatter.storage.engines.base import Transaction


class PreferencesUpdate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The changes; fields that are left out stay unchanged."""

    starred: Annotated[bool, Meta(description="Show the chat among the starred chats.")] | UnsetType = UNSET
    muted: Annotated[bool, Meta(description="No notifications and no badge for this chat.")] | UnsetType = UNSET


async def update(tx: Transaction, actor: Actor, chat_id: ChatId, wanted: PreferencesUpdate) -> ChatPreferences:
    """Store the actor's preferences; if no value changes, there is no event.

    Raises:
        NotFound: the actor is not in the chat.
    """
    chat = await check_access(tx, actor, chat_id, ChatAction.READ)
    before = ChatPreferences(chat_id, bool(chat.my_starred), bool(chat.my_muted))
    named = {name: value for name, value in msgspec.structs.asdict(wanted).items() if value is not UNSET}
    after = msgspec.structs.replace(before, **named)
    if after != before:
        await members.set_preferences(tx, chat_id, actor.user_id, starred=after.starred, muted=after.muted)
        draft = events.Draft(EventType.PREFERENCES_UPDATED, chat_id, actor.user_id, data=PreferencesData(after))
        await events.append(tx, actor.workspace_id, [draft], rights=False)
    return after
