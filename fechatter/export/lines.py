"""What the lines of an export say. Each is one object with a `type`; fields are only ever added.

A line `export` opens and a line `end` with the counts closes: an export without it was cut short. Times are RFC 3339 in UTC; ids and
the names of fields are those of the HTTP API. Deleted chats are left out; a deleted message is its empty place, without versions. Left out
too: passwords, sessions, invitations, keys, read marks, the event log and the audit log.
"""

from __future__ import annotations

from typing import Final

import msgspec

FORMAT: Final = 1


class Line(msgspec.Struct, frozen=True, tag_field="type", tag=str.lower):
    """One line."""


class Export(Line, frozen=True):
    """The first. `cursor` is the position in the event log that everything is as of."""

    format: int
    program: str
    created_at: str
    cursor: str


class Workspace(Line, frozen=True):
    id: int
    slug: str
    name: str
    created_at: str


class Person(Line, frozen=True):
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


class Chat(Line, frozen=True):
    id: int
    chat_type: str
    name: str | None
    description: str
    owner_id: int
    created_at: str
    updated_at: str
    archived_at: str | None


class Membership(Line, frozen=True):
    """Of somebody who is in the chat now."""

    chat_id: int
    user_id: int
    role: str
    joined_at: str


class Version(msgspec.Struct, frozen=True):
    """An earlier content; `edited_at` is when it was written, None for the first one."""

    revision: int
    content: str
    edited_at: str | None


class Message(Line, frozen=True):
    """Of each chat in the order of their numbers. `versions` are the earlier contents, oldest first."""

    id: int
    chat_id: int
    number: int
    sender_id: int
    content: str
    revision: int
    created_at: str
    edited_at: str | None
    deleted_at: str | None
    versions: list[Version]


class End(Line, frozen=True):
    """The last: how many lines of each type came before."""

    counts: dict[str, int]
