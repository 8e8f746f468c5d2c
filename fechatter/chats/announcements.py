"""The events of chats: small facts, stored with their number, that bring a client that shows the chat up to date."""

from __future__ import annotations

from typing import Any

import msgspec

from fechatter.chats.views import view
from fechatter.model import Chat, ChatId, EventType, Member, UserId, WorkspaceId
from fechatter.storage import chats, members, read_marks
from fechatter.storage.chats import ChatRow
from fechatter.storage.engines.base import Transaction
from fechatter.storage.events import Draft

_CHANGED_BY_MEMBERS = ("id", "member_count", "members", "owner_id", "updated_at")
_CHANGED_BY_PATCH = ("id", "chat_type", "name", "description", "owner_id", "archived_at", "updated_at")


class Told(msgspec.Struct, frozen=True):
    """A chat as all of its members may be told of it, nothing unread; and its last message's id."""

    chat: Chat
    last_message_id: int | None

    def part(self, names: tuple[str, ...]) -> dict[str, Any]:
        return {name: getattr(self.chat, name) for name in names}


async def told(tx: Transaction, workspace_id: WorkspaceId, chat_id: ChatId) -> Told:
    """The chat as this transaction leaves it: call it after the last change, before the events are stored."""
    row = await chats.find(tx, workspace_id, chat_id, UserId(0))
    if row is None:
        raise LookupError(f"no chat {chat_id}")
    shown = await members.first_of(tx, [chat_id])
    return Told(view(_nothing_unread(row), shown[chat_id], None), row.last_message_id)


def _nothing_unread(row: ChatRow) -> ChatRow:
    return msgspec.structs.replace(row, my_read_number=row.last_number, my_deleted_above=0)


async def joined(tx: Transaction, now: Told, user_ids: list[UserId]) -> list[Draft]:
    """`member.joined` of each; the one who joined is shown the whole chat, as of the event."""
    present = await members.present(tx, now.chat.id, user_ids)
    revisions = await read_marks.revisions(tx, now.chat.id, user_ids)
    drafts = []
    for user_id in user_ids:
        new = present[user_id]
        member = {**msgspec.to_builtins(new.member), "user": new.user}
        drafts.append(
            Draft(
                EventType.MEMBER_JOINED,
                now.chat.id,
                user_id,
                now.last_message_id,
                {"member": member, "chat": now.part(_CHANGED_BY_MEMBERS)},
                {"member": member, "chat": msgspec.structs.replace(now.chat, read_revision=revisions.get(user_id, 0))},
            )
        )
    return drafts


def left(now: Told, user_ids: list[UserId]) -> list[Draft]:
    """`member.left` of each."""
    chat = now.part(_CHANGED_BY_MEMBERS)
    return [Draft(EventType.MEMBER_LEFT, now.chat.id, user_id, data={"member": {"user_id": user_id}, "chat": chat}) for user_id in user_ids]


def role_changed(now: Told, user_id: UserId, role: str) -> Draft:
    """`member.role_changed` of one member."""
    data = {"member": {"user_id": user_id, "role": role}, "chat": now.part(_CHANGED_BY_MEMBERS)}
    return Draft(EventType.MEMBER_ROLE_CHANGED, now.chat.id, user_id, data=data)


def updated(now: Told) -> Draft:
    """`chat.updated`."""
    return Draft(EventType.CHAT_UPDATED, now.chat.id, data={"chat": now.part(_CHANGED_BY_PATCH)})


def deleted(chat_id: ChatId) -> Draft:
    """`chat.deleted`; its number ends every membership."""
    return Draft(EventType.CHAT_DELETED, chat_id, data={"chat": {"id": chat_id}})


def member_of(present: dict[UserId, members.Present], user_ids: list[UserId]) -> list[Member]:
    """Those members, in the order of `user_ids`."""
    return [present[user_id].member for user_id in user_ids]
