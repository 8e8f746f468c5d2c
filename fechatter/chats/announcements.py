"""The events of chats. They are small and bring a client that shows the chat up to date."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from fechatter.chats.views import view
from fechatter.events import (
    ChatChange,
    ChatData,
    ChatDeletedData,
    ChatName,
    EventType,
    MemberJoinedData,
    MemberLeftData,
    MemberName,
    MemberOf,
    MemberRole,
    MemberRoleData,
    MembersChange,
)
from fechatter.model import Chat, ChatId, Member, UserId, WorkspaceId
from fechatter.storage import chats, members, read_marks
from fechatter.storage.chats import ChatRow
from fechatter.storage.engines.base import Transaction
from fechatter.storage.events import Draft

Part = TypeVar("Part", ChatChange, MembersChange)


class ChatState(msgspec.Struct, frozen=True):
    """The part of a chat that is the same for all members, with nothing unread, and the id of its last message."""

    chat: Chat
    last_message_id: int | None

    def part(self, kind: type[Part]) -> Part:
        """Return the fields of the chat that `kind` has."""
        return msgspec.convert(self.chat, kind, from_attributes=True)


async def state_of(tx: Transaction, workspace_id: WorkspaceId, chat_id: ChatId) -> ChatState:
    """Return the chat as this transaction leaves it. Call this after the last change and before storing the events."""
    row = await chats.find(tx, workspace_id, chat_id, UserId(0))
    if row is None:
        raise LookupError(f"no chat {chat_id}")
    shown = await members.first_of(tx, [chat_id])
    return ChatState(view(_nothing_unread(row), shown[chat_id], None), row.last_message_id)


def _nothing_unread(row: ChatRow) -> ChatRow:
    return msgspec.structs.replace(row, my_read_number=row.last_number, my_deleted_above=0)


async def joined(tx: Transaction, now: ChatState, user_ids: list[UserId]) -> list[Draft]:
    """Return one `member.joined` for each person. The new member receives the whole chat as of the event."""
    present = await members.present(tx, now.chat.id, user_ids)
    revisions = await read_marks.revisions(tx, now.chat.id, user_ids)
    change = now.part(MembersChange)
    return [_joined(now, present[user_id], change, revisions.get(user_id, 0)) for user_id in user_ids]


def _joined(now: ChatState, new: members.Present, change: MembersChange, read_revision: int) -> Draft:
    member = MemberOf(**msgspec.structs.asdict(new.member), user=new.user)
    whole = msgspec.structs.replace(now.chat, read_revision=read_revision)
    return Draft(
        EventType.MEMBER_JOINED,
        now.chat.id,
        new.user.id,
        now.last_message_id,
        MemberJoinedData(member, change),
        MemberJoinedData(member, whole),
    )


def left(now: ChatState, user_ids: list[UserId]) -> list[Draft]:
    """Return one `member.left` for each person."""
    change = now.part(MembersChange)
    return [
        Draft(EventType.MEMBER_LEFT, now.chat.id, user_id, data=MemberLeftData(MemberName(user_id), change))
        for user_id in user_ids
    ]


def role_changed(now: ChatState, member: MemberRole) -> Draft:
    """Return `member.role_changed` of one member."""
    data = MemberRoleData(member, now.part(MembersChange))
    return Draft(EventType.MEMBER_ROLE_CHANGED, now.chat.id, member.user_id, data=data)


def updated(now: ChatState) -> Draft:
    """Return `chat.updated`."""
    return Draft(EventType.CHAT_UPDATED, now.chat.id, data=ChatData(now.part(ChatChange)))


def deleted(chat_id: ChatId) -> Draft:
    """Return `chat.deleted`. Its number becomes the `left_seq` of every membership."""
    return Draft(EventType.CHAT_DELETED, chat_id, data=ChatDeletedData(ChatName(chat_id)))


def member_of(present: dict[UserId, members.Present], user_ids: list[UserId]) -> list[Member]:
    """Return these members in the order of `user_ids`."""
    return [present[user_id].member for user_id in user_ids]
