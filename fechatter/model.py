"""What the server talks about: ids, people, chats, messages, events. No I/O here.

Structs that leave the server (User, Chat, Message …) have the field names and the order of the HTTP contract; `encode` makes their JSON.
Times are integers, milliseconds since the Unix epoch, until `timestamp` writes them as RFC 3339.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Literal, NewType

import msgspec
import orjson

WorkspaceId = NewType("WorkspaceId", int)
UserId = NewType("UserId", int)
SessionId = NewType("SessionId", int)
ChatId = NewType("ChatId", int)
MessageId = NewType("MessageId", int)

MAX_ID = 2**53 - 1


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    GUEST = "guest"


class ChatType(StrEnum):
    SINGLE = "single"
    GROUP = "group"
    PRIVATE_CHANNEL = "private_channel"
    PUBLIC_CHANNEL = "public_channel"


class EventType(StrEnum):
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
    UNREADABLE = "unreadable"
    """Stands for an event of the log that cannot be read; never stored."""


class Origin(msgspec.Struct, frozen=True):
    """From where somebody acts: `place` is the client's address, or the operating system's user at the command line."""

    source: Literal["api", "command_line"]
    place: str


class Actor(msgspec.Struct, frozen=True):
    """Who makes a request, as the database says now; `user_id` 0 stands for the command line."""

    user_id: UserId
    workspace_id: WorkspaceId
    session_id: SessionId
    role: Role
    origin: Origin = Origin("api", "")


class UserSummary(msgspec.Struct, frozen=True):
    id: UserId
    handle: str
    fullname: str
    avatar_url: str | None = None


class User(msgspec.Struct, frozen=True):
    """`email` is present only for the person itself, admins and owners."""

    id: UserId
    handle: str
    fullname: str
    avatar_url: str | None
    kind: str
    role: Role
    created_at: str
    disabled: bool
    email: str | msgspec.UnsetType = msgspec.UNSET
    timezone: str | None | msgspec.UnsetType = msgspec.UNSET
    language: str | None | msgspec.UnsetType = msgspec.UNSET


class Workspace(msgspec.Struct, frozen=True):
    id: WorkspaceId
    slug: str
    name: str
    created_at: str


class Message(msgspec.Struct, frozen=True):
    id: MessageId
    chat_id: ChatId
    number: int
    sender_id: UserId
    content: str
    revision: int
    created_at: str
    edited_at: str | None
    deleted_at: str | None
    idempotency_key: str | msgspec.UnsetType = msgspec.UNSET


class Chat(msgspec.Struct, frozen=True):
    """A chat as one member sees it; `members` are the first eight by joining."""

    id: ChatId
    chat_type: ChatType
    name: str | None
    description: str
    owner_id: UserId
    member_count: int
    members: list[UserSummary]
    created_at: str
    updated_at: str
    archived_at: str | None
    last_number: int
    last_message: Message | None
    last_read_number: int
    unread_count: int


class Member(msgspec.Struct, frozen=True):
    user_id: UserId
    role: str
    joined_at: str


class Position(msgspec.Struct, frozen=True):
    """A place in a workspace's event log, written `epoch.seq`."""

    epoch: str
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.seq}"

    @classmethod
    def parse(cls, text: str) -> Position | None:
        """None when `text` is not a position."""
        epoch, dot, seq = text.rpartition(".")
        if not dot or not epoch or len(epoch) > 32 or not seq.isascii() or not seq.isdecimal() or len(seq) > 16:
            return None
        return cls(epoch, int(seq))


def now_ms() -> int:
    """The wall clock, milliseconds; it decorates and never orders."""
    return time.time_ns() // 1_000_000


def timestamp(milliseconds: int) -> str:
    """RFC 3339, UTC, milliseconds: 2026-01-02T03:04:05.678Z."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{_second(seconds)}.{rest:03d}Z"


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    # Messages of one page share their seconds, and formatting a date costs more than all else in a message.
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


def optional_timestamp(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else timestamp(milliseconds)


def encode(value: object) -> bytes:
    """Compact JSON of structs, dicts and lists of them."""
    return orjson.dumps(msgspec.to_builtins(value))
