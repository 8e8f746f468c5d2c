"""The events of the log. Each type is defined once: its code in the log, who sees it, and its data.

Producers construct the data. `fechatter/api/contract/frames.py` makes the contract's types from `EVENTS`, and the
client's types are generated from the contract.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final, Literal, get_type_hints

import msgspec

from fechatter.model import (
    AnyChat,
    AnyUser,
    Chat,
    ChatPreferences,
    ChatType,
    Member,
    Message,
    Timestamp,
    User,
    UserSummary,
    Workspace,
)


class EventType(StrEnum):
    """The names of events, as clients see them."""

    MESSAGE_CREATED = "message.created"
    MESSAGE_EDITED = "message.edited"
    MESSAGE_DELETED = "message.deleted"
    CHAT_UPDATED = "chat.updated"
    CHAT_DELETED = "chat.deleted"
    MEMBER_JOINED = "member.joined"
    MEMBER_LEFT = "member.left"
    MEMBER_ROLE_CHANGED = "member.role_changed"
    USER_JOINED = "user.joined"
    USER_UPDATED = "user.updated"
    USER_DISABLED = "user.disabled"
    WORKSPACE_UPDATED = "workspace.updated"
    SESSION_REVOKED = "session.revoked"
    PREFERENCES_UPDATED = "preferences.updated"
    UNREADABLE = "unreadable"
    """Replaces an event of the log that cannot be read; never stored. It has no content, and its `chat_id` determines
    who sees it."""


class Visibility(StrEnum):
    """Who sees an event."""

    CHAT = "chat"
    """The members of the event's chat."""
    WORKSPACE = "workspace"
    """Everybody in the workspace. Guests do not see other people's `user.*` events."""
    PERSON = "person"
    """Only the person `user_id`, on all devices. If the event has a chat, only while that person is a member."""
    SERVER = "server"
    """No client: only the nodes of the server read it."""


class EventData(msgspec.Struct, frozen=True):
    """The `data` of an event."""


class MessageData(EventData, frozen=True):
    """The message as it was at the event; its content is empty if the message was deleted later."""

    message: Message


class ChatChange(msgspec.Struct, frozen=True):
    """The fields of a chat that people edit."""

    id: AnyChat
    chat_type: ChatType
    name: Annotated[str | None, msgspec.Meta(examples=["news"])]
    description: Annotated[str, msgspec.Meta(examples=["What is new"])]
    owner_id: AnyUser
    archived_at: Timestamp | None
    updated_at: Timestamp


class ChatData(EventData, frozen=True):
    """The changed chat."""

    chat: ChatChange


class ChatName(msgspec.Struct, frozen=True):
    """The id of a chat."""

    id: AnyChat


class ChatDeletedData(EventData, frozen=True):
    """The deleted chat."""

    chat: ChatName


class MembersChange(msgspec.Struct, frozen=True):
    """The fields of a chat that change with its members."""

    id: AnyChat
    member_count: Annotated[int, msgspec.Meta(examples=[3])]
    members: list[UserSummary]
    owner_id: AnyUser
    updated_at: Timestamp


class MemberOf(Member, frozen=True):
    """A member of a chat, with a summary of the person."""

    user: UserSummary


def _joined_chat() -> type[msgspec.Struct]:
    hints = get_type_hints(Chat, include_extras=True)
    rest = [name for name in Chat.__struct_fields__ if name not in MembersChange.__struct_fields__]
    optional = [(name, hints[name] | msgspec.UnsetType, msgspec.UNSET) for name in rest]
    made = msgspec.defstruct("JoinedChat", optional, bases=(MembersChange,), frozen=True, kw_only=True, module=__name__)
    made.__doc__ = "The fields of a chat that change with its members; for the new member alone, all fields of a Chat."
    return made


if TYPE_CHECKING:
    JoinedChat = MembersChange | Chat
else:
    # msgspec has no unions of structs without tags, so one struct describes both.
    JoinedChat = _joined_chat()


class MemberJoinedData(EventData, frozen=True):
    """The new member. When you join a chat yourself, replace everything that you stored about it."""

    member: MemberOf
    chat: JoinedChat


class MemberName(msgspec.Struct, frozen=True):
    """The id of a member."""

    user_id: AnyUser


class MemberLeftData(EventData, frozen=True):
    """The person who left or was removed."""

    member: MemberName
    chat: MembersChange


class MemberRole(msgspec.Struct, frozen=True):
    """A member's new role."""

    user_id: AnyUser
    role: Literal["owner", "member"]


class MemberRoleData(EventData, frozen=True):
    """The member whose role in the chat changed."""

    member: MemberRole
    chat: MembersChange


class PreferencesData(EventData, frozen=True):
    """The person's preferences for the chat, after the change."""

    preferences: ChatPreferences


class UserData(EventData, frozen=True):
    """The person."""

    user: User


class WorkspaceData(EventData, frozen=True):
    """The workspace."""

    workspace: Workspace


class EventKind(msgspec.Struct, frozen=True):
    """The definition of an event type.

    Attributes:
        code: the type's number in the table `events`; never changed and never reused.
        data: the type of the event's `data`. The data of `MessageData` is read from the message's row; other data is
            stored in the log.
        meaning: one sentence for the contract.
    """

    code: int
    visibility: Visibility
    data: type[EventData] | None
    meaning: str


EVENTS: Final[dict[EventType, EventKind]] = {
    EventType.MESSAGE_CREATED: EventKind(1, Visibility.CHAT, MessageData, "A message was sent."),
    EventType.MESSAGE_EDITED: EventKind(2, Visibility.CHAT, MessageData, "A message has new content."),
    EventType.MESSAGE_DELETED: EventKind(3, Visibility.CHAT, MessageData, "A message was deleted; its place remains."),
    EventType.CHAT_UPDATED: EventKind(
        4, Visibility.CHAT, ChatData, "A chat was renamed, described, archived or unarchived."
    ),
    EventType.CHAT_DELETED: EventKind(5, Visibility.CHAT, ChatDeletedData, "A chat was deleted for everybody."),
    EventType.MEMBER_JOINED: EventKind(
        6, Visibility.CHAT, MemberJoinedData, "Somebody joined a chat. For the new member, the chat is new."
    ),
    EventType.MEMBER_LEFT: EventKind(
        7, Visibility.CHAT, MemberLeftData, "Somebody left a chat. That person receives no later events of the chat."
    ),
    EventType.MEMBER_ROLE_CHANGED: EventKind(8, Visibility.CHAT, MemberRoleData, "A chat has a new owner."),
    EventType.USER_JOINED: EventKind(9, Visibility.WORKSPACE, UserData, "Somebody joined the workspace."),
    EventType.USER_UPDATED: EventKind(10, Visibility.WORKSPACE, UserData, "Somebody's profile or role changed."),
    EventType.USER_DISABLED: EventKind(11, Visibility.WORKSPACE, UserData, "Somebody was disabled."),
    EventType.WORKSPACE_UPDATED: EventKind(12, Visibility.WORKSPACE, WorkspaceData, "The workspace was changed."),
    EventType.SESSION_REVOKED: EventKind(13, Visibility.SERVER, None, "A session ended."),
    EventType.PREFERENCES_UPDATED: EventKind(
        14,
        Visibility.PERSON,
        PreferencesData,
        "The person starred or muted a chat on one of their devices. Only that person receives the event.",
    ),
}
"""Every type that the log stores."""


def types_visible_to(visibility: Visibility) -> list[EventType]:
    """Return the event types with this visibility."""
    return [event_type for event_type, kind in EVENTS.items() if kind.visibility is visibility]
