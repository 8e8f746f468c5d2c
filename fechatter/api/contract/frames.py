"""The shapes of what live streams carry: events, signals and control frames. `hub` and `storage/events.py` make them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import UNSET, UnsetType

from fechatter.model import (
    MAX_ID,
    POSITION_PATTERN,
    ChatPreferences,
    ChatType,
    Member,
    Message,
    ReadMark,
    Timestamp,
    User,
    UserSummary,
    Workspace,
)

Cursor = Annotated[
    str,
    msgspec.Meta(
        description="A position in the workspace's log: opaque text. The part after the last dot is the event's number.",
        examples=["5f2c81d0.1204"],
        extra_json_schema={"pattern": f"^{POSITION_PATTERN}$"},
    ),
]
Seq = Annotated[int, msgspec.Meta(ge=0, le=MAX_ID, description="The event's number, without gaps in its workspace.", examples=[1204])]
ChatNumber = Annotated[int, msgspec.Meta(examples=[21])]
UserNumber = Annotated[int, msgspec.Meta(examples=[7])]


class MemberOf(Member, frozen=True):
    """A member, and who that is."""

    user: UserSummary


class MembersChange(msgspec.Struct, frozen=True):
    """What of a chat changes with its members."""

    id: ChatNumber
    member_count: Annotated[int, msgspec.Meta(examples=[3])]
    members: list[UserSummary]
    owner_id: UserNumber
    updated_at: Timestamp


class JoinedChat(MembersChange, frozen=True, kw_only=True):
    """What of a chat changes with its members; to the one who joined, and only to them, the whole Chat."""

    chat_type: ChatType | UnsetType = UNSET
    name: str | None | UnsetType = UNSET
    description: str | UnsetType = UNSET
    created_at: Timestamp | UnsetType = UNSET
    archived_at: Timestamp | None | UnsetType = UNSET
    last_number: int | UnsetType = UNSET
    last_message: Message | None | UnsetType = UNSET
    last_read_number: int | UnsetType = UNSET
    read_revision: int | UnsetType = UNSET
    unread_count: int | UnsetType = UNSET
    starred: bool | UnsetType = UNSET
    muted: bool | UnsetType = UNSET


class ChatChange(msgspec.Struct, frozen=True):
    """What of a chat is changed by hand."""

    id: ChatNumber
    chat_type: ChatType
    name: Annotated[str | None, msgspec.Meta(examples=["news"])]
    description: Annotated[str, msgspec.Meta(examples=["What is new"])]
    owner_id: UserNumber
    archived_at: Timestamp | None
    updated_at: Timestamp


class ChatName(msgspec.Struct, frozen=True):
    """Which chat."""

    id: ChatNumber


class MemberName(msgspec.Struct, frozen=True):
    """Which member."""

    user_id: UserNumber


class MemberRole(msgspec.Struct, frozen=True):
    """A member's new role."""

    user_id: UserNumber
    role: Literal["owner", "member"]


class MessageData(msgspec.Struct, frozen=True):
    """The message, as it was at the event; empty when it was deleted since."""

    message: Message


class ChatData(msgspec.Struct, frozen=True):
    """What changed of the chat."""

    chat: ChatChange


class ChatDeletedData(msgspec.Struct, frozen=True):
    """Which chat is gone."""

    chat: ChatName


class MemberJoinedData(msgspec.Struct, frozen=True):
    """Who joined. On one's own, drop what you had of the chat."""

    member: MemberOf
    chat: JoinedChat


class MemberLeftData(msgspec.Struct, frozen=True):
    """Who left, or was removed."""

    member: MemberName
    chat: MembersChange


class MemberRoleData(msgspec.Struct, frozen=True):
    """Whose role in the chat changed."""

    member: MemberRole
    chat: MembersChange


class PreferencesData(msgspec.Struct, frozen=True):
    """The person's preferences for the chat, after the change."""

    preferences: ChatPreferences


class UserData(msgspec.Struct, frozen=True):
    """The person."""

    user: User


class WorkspaceData(msgspec.Struct, frozen=True):
    """The workspace."""

    workspace: Workspace


class EventOf(msgspec.Struct, frozen=True, tag_field="type", kw_only=True):
    """What every event has; `at` decorates, `seq` orders."""

    seq: Seq
    workspace_id: Annotated[int, msgspec.Meta(examples=[1])]
    at: Timestamp


class ChatEvent(EventOf, frozen=True, kw_only=True):
    """An event of a chat, shown to its members."""

    chat_id: ChatNumber


class PeopleEvent(EventOf, frozen=True, kw_only=True):
    """An event of the workspace, shown to its people."""

    chat_id: None


class MessageCreated(ChatEvent, frozen=True, tag="message.created", kw_only=True):
    """A message was sent."""

    data: MessageData


class MessageEdited(ChatEvent, frozen=True, tag="message.edited", kw_only=True):
    """A message has a new content."""

    data: MessageData


class MessageDeleted(ChatEvent, frozen=True, tag="message.deleted", kw_only=True):
    """A message was deleted; it keeps its place."""

    data: MessageData


class ChatUpdated(ChatEvent, frozen=True, tag="chat.updated", kw_only=True):
    """A chat was renamed, described, archived or brought back."""

    data: ChatData


class ChatDeleted(ChatEvent, frozen=True, tag="chat.deleted", kw_only=True):
    """A chat is gone, for everybody."""

    data: ChatDeletedData


class MemberJoined(ChatEvent, frozen=True, tag="member.joined", kw_only=True):
    """Somebody joined a chat. One's own tells of a new chat."""

    data: MemberJoinedData


class MemberLeft(ChatEvent, frozen=True, tag="member.left", kw_only=True):
    """Somebody left a chat. After one's own nothing of the chat follows."""

    data: MemberLeftData


class MemberRoleChanged(ChatEvent, frozen=True, tag="member.role_changed", kw_only=True):
    """A chat has another owner."""

    data: MemberRoleData


class PreferencesUpdated(ChatEvent, frozen=True, tag="preferences.updated", kw_only=True):
    """The person starred or muted a chat, on any device. Only that person's own streams get it."""

    data: PreferencesData


class UserJoined(PeopleEvent, frozen=True, tag="user.joined", kw_only=True):
    """Somebody came into the workspace."""

    data: UserData


class UserUpdated(PeopleEvent, frozen=True, tag="user.updated", kw_only=True):
    """Somebody's profile or role changed."""

    data: UserData


class UserDisabled(PeopleEvent, frozen=True, tag="user.disabled", kw_only=True):
    """Somebody was disabled."""

    data: UserData


class WorkspaceUpdated(PeopleEvent, frozen=True, tag="workspace.updated", kw_only=True):
    """The workspace was renamed."""

    data: WorkspaceData


Event = (
    MessageCreated
    | MessageEdited
    | MessageDeleted
    | ChatUpdated
    | ChatDeleted
    | MemberJoined
    | MemberLeft
    | MemberRoleChanged
    | PreferencesUpdated
    | UserJoined
    | UserUpdated
    | UserDisabled
    | WorkspaceUpdated
)
"""Everything that changes what a client shows."""

EVENTS: dict[str, type[EventOf]] = {str(kind.__struct_config__.tag): kind for kind in get_args(Event)}
"""Events by their `type`, which is also their frame's `event:`."""


class ReadData(msgspec.Struct, frozen=True):
    """The current read mark."""

    read: ReadMark


class ReadMoved(msgspec.Struct, frozen=True, tag_field="type", tag="read.moved"):
    """A signal to a person's own devices: the read mark moved. It has no number and can be lost, repeated or late."""

    workspace_id: Annotated[int, msgspec.Meta(examples=[1])]
    chat_id: ChatNumber
    at: Timestamp
    data: ReadData


class Hello(msgspec.Struct, frozen=True):
    """The first frame. `epoch` and `head` together are the newest position."""

    epoch: Annotated[str, msgspec.Meta(examples=["5f2c81d0"])]
    head: Seq
    heartbeat_seconds: Annotated[int, msgspec.Meta(description="Silence for much longer means a broken connection.", examples=[20])]
    session_id: Annotated[int, msgspec.Meta(examples=[90])]


class Resumed(msgspec.Struct, frozen=True, rename={"start": "from"}):
    """All that was missed has been told; `reads` are one's read marks."""

    start: Cursor
    to: Cursor
    reads: list[ReadMark]


class Reset(msgspec.Struct, frozen=True):
    """Events cannot continue from the cursor. Load `/api/sync`; the stream continues live from this frame's `id:`.

    `reason` is `epoch` if the log does not contain the position, because it went back in time or belongs to another
    server.
    """

    reason: Literal["epoch", "ahead", "pruned", "too_many"]
    epoch: Annotated[str, msgspec.Meta(examples=["5f2c81d0"])]
    head: Seq


class Closing(msgspec.Struct, frozen=True):
    """The last frame."""

    reason: Literal["slow", "revoked", "shutdown", "unavailable"]


CONTROL: dict[str, Any] = {"hello": Hello, "resumed": Resumed, "reset": Reset, "closing": Closing, "read.moved": ReadMoved}
"""Frames that are not in the log, by their `event:`."""
