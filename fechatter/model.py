"""Ids, people, chats and messages. No I/O.

Structs that clients receive (User, Chat, Message …) have the field names and the order of the HTTP contract; `encode`
makes their JSON. Times are integers in milliseconds since the Unix epoch, and RFC 3339 (`timestamp`) in JSON.
"""

from __future__ import annotations

import re
import time
from enum import StrEnum
from typing import Annotated, Final, Literal, NewType

import msgspec

from fechatter.native import timestamp as timestamp

WorkspaceId = NewType("WorkspaceId", int)
UserId = NewType("UserId", int)
SessionId = NewType("SessionId", int)
ChatId = NewType("ChatId", int)
MessageId = NewType("MessageId", int)

MAX_ID = 2**53 - 1


class Role(StrEnum):
    """A person's role in the workspace."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    GUEST = "guest"


class ChatType(StrEnum):
    """The type of a chat."""

    SINGLE = "single"
    GROUP = "group"
    PRIVATE_CHANNEL = "private_channel"
    PUBLIC_CHANNEL = "public_channel"


class Origin(msgspec.Struct, frozen=True):
    """The origin of an action. `place` is the client's address, or the operating system's user for the command line."""

    source: Literal["api", "command_line"]
    place: str


class Actor(msgspec.Struct, frozen=True):
    """The person who makes a request, as stored at this moment; `user_id` 0 is the command line."""

    user_id: UserId
    workspace_id: WorkspaceId
    session_id: SessionId
    role: Role
    origin: Origin = Origin("api", "")


Timestamp = Annotated[
    str,
    msgspec.Meta(
        description="RFC 3339, UTC, milliseconds.",
        examples=["2026-01-02T03:04:05.678Z"],
        extra_json_schema={"format": "date-time"},
    ),
]
Handle = Annotated[
    str,
    msgspec.Meta(description="One word by which a person is mentioned; unique in the workspace.", examples=["ada"]),
]
Fullname = Annotated[str, msgspec.Meta(examples=["Ada Lovelace"])]
AnyUser = Annotated[UserId, msgspec.Meta(examples=[7])]
AnyChat = Annotated[ChatId, msgspec.Meta(examples=[21])]
LastReadNumber = Annotated[
    int,
    msgspec.Meta(description="The read mark: all messages up to this number count as read; 0 at first.", examples=[50]),
]
ReadRevision = Annotated[
    int,
    msgspec.Meta(
        description="The read mark's revision: 0 at first; each marking as unread increases it by one.", examples=[0]
    ),
]


class UserSummary(msgspec.Struct, frozen=True):
    """A person in lists."""

    id: AnyUser
    handle: Handle
    fullname: Fullname
    avatar_url: str | None = None


class Status(msgspec.Struct, frozen=True):
    """What a person does at the moment. Do not show it after `until`."""

    emoji: Annotated[str, msgspec.Meta(description="One emoji; may be empty if there is a text.", examples=["🌴"])]
    text: Annotated[str, msgspec.Meta(description="May be empty if there is an emoji.", examples=["Back on Monday"])]
    until: Annotated[Timestamp | None, msgspec.Meta(description="When it ends; null: not by itself.")]


class User(msgspec.Struct, frozen=True):
    """A person.

    `email` is visible to the person, admins and owners. `timezone`, `language`, `shows_presence` and `sends_receipts`
    are visible only to the person.
    """

    id: AnyUser
    handle: Handle
    fullname: Fullname
    avatar_url: str | None
    kind: Annotated[str, msgspec.Meta(description="`person` or `bot`.", examples=["person"])]
    role: Role
    created_at: Timestamp
    disabled: bool
    status: Status | None
    email: Annotated[str, msgspec.Meta(examples=["ada@example.org"])] | msgspec.UnsetType = msgspec.UNSET
    timezone: Annotated[str | None, msgspec.Meta(examples=["Europe/Zurich"])] | msgspec.UnsetType = msgspec.UNSET
    language: Annotated[str | None, msgspec.Meta(examples=["en"])] | msgspec.UnsetType = msgspec.UNSET
    shows_presence: (
        Annotated[bool, msgspec.Meta(description="Whether others see if the person is online.", examples=[True])]
        | msgspec.UnsetType
    ) = msgspec.UNSET
    sends_receipts: (
        Annotated[bool, msgspec.Meta(description="Whether others see what the person has read.", examples=[True])]
        | msgspec.UnsetType
    ) = msgspec.UNSET


class Workspace(msgspec.Struct, frozen=True):
    """A tenant with its own people, chats and event log."""

    id: Annotated[WorkspaceId, msgspec.Meta(examples=[1])]
    slug: Annotated[
        str, msgspec.Meta(description="Its name as one word; it never changes.", examples=["analytical-engines"])
    ]
    name: Annotated[str, msgspec.Meta(examples=["Analytical Engines"])]
    created_at: Timestamp
    default_chat_id: Annotated[
        ChatId | None, msgspec.Meta(description="The channel that new people join.", examples=[21])
    ] = None


# The sender's JSON is checked against this struct, then stored and sent unchanged. As long as the struct has no field,
# messages with `extras` are refused. The default of each field is UNSET; docs/extending.md shows how to add one.
class Extras(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The optional fields of a message."""


class Message(msgspec.Struct, frozen=True):
    """A message. A deleted message keeps its place, without content and extras. Only its sender sees
    `idempotency_key`."""

    id: Annotated[MessageId, msgspec.Meta(examples=[4711])]
    chat_id: AnyChat
    number: Annotated[int, msgspec.Meta(description="1, 2, 3 … in its chat, without gaps.", examples=[51])]
    sender_id: AnyUser
    content: Annotated[str, msgspec.Meta(examples=["Good morning"])]
    revision: Annotated[int, msgspec.Meta(description="1 at first; each edit increases it by one.", examples=[1])]
    created_at: Timestamp
    edited_at: Timestamp | None
    deleted_at: Timestamp | None
    extras: Extras | msgspec.UnsetType = msgspec.UNSET
    idempotency_key: (
        Annotated[str, msgspec.Meta(examples=["0199a1c4-7d2e-7cc3-98c4-dc0c0c07398f"])] | msgspec.UnsetType
    ) = msgspec.UNSET


class Chat(msgspec.Struct, frozen=True):
    """A chat as one member sees it. `members` are the eight members who joined first."""

    id: AnyChat
    chat_type: ChatType
    name: Annotated[str | None, msgspec.Meta(examples=["news"])]
    description: Annotated[str, msgspec.Meta(examples=["What is new"])]
    owner_id: AnyUser
    member_count: Annotated[int, msgspec.Meta(examples=[3])]
    members: list[UserSummary]
    created_at: Timestamp
    updated_at: Timestamp
    archived_at: Timestamp | None
    last_number: Annotated[
        int, msgspec.Meta(description="The number of its newest message; 0 if there is none.", examples=[51])
    ]
    last_message: Message | None
    last_read_number: LastReadNumber
    read_revision: ReadRevision
    unread_count: Annotated[
        int,
        msgspec.Meta(
            description="`last_number` - `last_read_number` - the number of deleted messages in between.", examples=[1]
        ),
    ]
    starred: Annotated[bool, msgspec.Meta(description="Whether this person starred the chat; nobody else sees it.")]
    muted: Annotated[bool, msgspec.Meta(description="Whether this person muted the chat; nobody else sees it.")]


class ChatPreferences(msgspec.Struct, frozen=True):
    """One member's preferences for a chat. Only that person sees them."""

    chat_id: AnyChat
    starred: bool
    muted: Annotated[bool, msgspec.Meta(description="A muted chat does not notify and does not count in badges.")]


class ReadMark(msgspec.Struct, frozen=True):
    """A person's read mark in a chat, after the event `seq`. The higher revision wins, then the higher number.

    From event `seq` on, a client keeps `deleted_above` up to date with the numbers of `message.deleted`:
    unread = the chat's last number - `last_read_number` - `deleted_above`.
    """

    chat_id: AnyChat
    last_read_number: LastReadNumber
    revision: ReadRevision
    deleted_above: Annotated[
        int, msgspec.Meta(description="The number of deleted messages above `last_read_number`.", examples=[0])
    ]
    seq: Annotated[
        int, msgspec.Meta(description="The newest event that is included in these numbers.", examples=[1204])
    ]


class Member(msgspec.Struct, frozen=True):
    """A member of a chat."""

    user_id: AnyUser
    role: Annotated[str, msgspec.Meta(description="`owner` or `member` of the chat.", examples=["member"])]
    joined_at: Timestamp


POSITION_PATTERN = r"([!-~]{1,32})\.([0-9]{1,16})"
_POSITION = re.compile(POSITION_PATTERN)


LIFE_CHARACTERS: Final = 8


def life_of(era: str) -> str:
    """Return the life of an era: the first half of its name.

    Between successive eras of one life, the log lost no event that the server could detect.
    """
    return era[:LIFE_CHARACTERS]


class Position(msgspec.Struct, frozen=True):
    """A position in a workspace's event log, as text `era.seq`; `era` is the era of the number `seq`."""

    era: str
    seq: int

    def __str__(self) -> str:
        return f"{self.era}.{self.seq}"

    @classmethod
    def parse(cls, text: str) -> Position | None:
        """Parse `era.seq`. Return None if `text` is not a position."""
        found = _POSITION.fullmatch(text)
        return None if found is None else cls(found[1], int(found[2]))


def now_ms() -> int:
    """Return the wall clock in milliseconds, for display. Nothing is ordered by it."""
    return time.time_ns() // 1_000_000


def optional_timestamp(milliseconds: int | None) -> str | None:
    """Return `timestamp(milliseconds)`, or None for None."""
    return None if milliseconds is None else timestamp(milliseconds)


def encode(value: object) -> bytes:
    """Return the compact JSON of structs, and of dicts and lists that contain structs."""
    return msgspec.json.encode(value)
