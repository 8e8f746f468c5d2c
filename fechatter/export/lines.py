"""The lines of an export. Each line is one object with a `type`; later versions only add fields.

The first line is `export`, and the last is `end` with the counts. An export without `end` is incomplete. Times are RFC
3339 in UTC. Ids and field names are those of the HTTP API. A deleted message has empty content and no versions.
Deleted chats, passwords, sessions, invitations, keys, read marks, the event log and the audit log are not exported.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from fechatter.model import Message, Status
from fechatter.storage.messages import Version

FORMAT: Final = 1


class ExportLine(msgspec.Struct, frozen=True, tag_field="type"):
    """One line. The tag of its class is its `type`."""


class BeginLine(ExportLine, frozen=True, tag="export"):
    """The first line. `cursor` is the position in the event log of the exported snapshot."""

    format: int
    program: str
    created_at: str
    cursor: str


class WorkspaceLine(ExportLine, frozen=True, tag="workspace"):
    """The workspace."""

    id: int
    slug: str
    name: str
    created_at: str


class PersonLine(ExportLine, frozen=True, tag="person"):
    """A person or a bot."""

    id: int
    handle: str
    fullname: str
    email: str
    kind: str
    role: str
    timezone: str | None
    language: str | None
    created_at: str
    disabled_at: str | None
    status: Status | None
    shows_presence: bool
    sends_receipts: bool


class ChatLine(ExportLine, frozen=True, tag="chat"):
    """A chat. Its members and messages follow before the next chat."""

    id: int
    chat_type: str
    name: str | None
    description: str
    owner_id: int
    created_at: str
    updated_at: str
    archived_at: str | None


class MembershipLine(ExportLine, frozen=True, tag="membership"):
    """A current member of the chat."""

    chat_id: int
    user_id: int
    role: str
    joined_at: str


class MessageLine(ExportLine, Message, frozen=True, tag="message", kw_only=True):
    """A message. `versions` starts with the oldest.

    The lines of a chat's own messages come first, then the lines of its threads, one thread after the other. Within a
    chat or thread, the lines are in the order of the numbers. A message in a thread has a `thread_id`, and its number
    counts in the thread.
    """

    thread_id: int | UnsetType = UNSET
    versions: list[Version]


class EndLine(ExportLine, frozen=True, tag="end"):
    """The last line, with the number of lines of each type before it."""

    counts: dict[str, int]
