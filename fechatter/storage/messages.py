"""Rows of messages: pages of a timeline, single messages, edits and deletions. The engine's `store` inserts rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, cast

import msgspec
from msgspec import UNSET, UnsetType

from fechatter.model import (
    ChatId,
    Extras,
    Message,
    MessageId,
    SessionId,
    Timestamp,
    now_ms,
    optional_timestamp,
    timestamp,
)
from fechatter.storage import timelines
from fechatter.storage.engines.base import Database, Row, Transaction
from fechatter.storage.rights import with_reader
from fechatter.storage.timelines import timeline_of

_NAMES = (
    *("id", "chat_id", "number", "sender_id", "content", "revision"),
    *("created_at", "edited_at", "deleted_at", "extras"),
)


def columns_of(table: str) -> str:
    """Return the columns that `message` needs, for a query in which `messages` has the name `table`."""
    return ", ".join(f"{table}.{name}" for name in _NAMES)


# The format of a packed row is in native/src/message/page.rs.
_PACKED_ROW = """
NUMBERS(n.id, n.number, n.sender_id, n.revision, n.created_at, n.edited_at, n.deleted_at, OCTETS(n.content),
    OCTETS(n.extras)) || n.content || COALESCE(n.extras, '')"""


def packed_page(timeline: str, split: str, older: str, newer: str) -> str:
    """Return the SQL for the packed rows of a page, one value for `native.encode_page`.

    The arguments are SQL: the name of a row of `timelines`, a number, and the maximum number of messages below it and
    from it on. On each side, one more message is read if there is one. Numbers have no gaps, so the rows are one range.
    """
    at = f"GREATEST(1, LEAST({split}, {timeline}.last_number + 1))"
    limit = f"GREATEST({older}, {newer})"
    after = f"LEAST({newer}, GREATEST({limit} / 2, {limit} - LEAST({at} - 1, {older})))"
    before = f"LEAST({older}, {limit} - LEAST({after}, {timeline}.last_number + 1 - {at}))"
    # SQLite uses an index on an expression only for a value without a column's type. The plus sign removes the type.
    return f"""(SELECT PACKED(x.packed) FROM (SELECT {_PACKED_ROW} AS packed FROM messages n
        WHERE {timeline_of("n")} = +{timeline}.id
            AND n.number >= {at} - {before} - 1 AND n.number <= {at} + {after}) AS x)"""


_PLACE = ("CAST($4 AS BIGINT)", "CAST($5 AS BIGINT)", "CAST($6 AS BIGINT)")
# Only a member's messages are read: the timeline is that of the membership.
_READ_PAGE = with_reader(
    f"c.chat_type, c.archived_at, m.role AS chat_role, {packed_page('t', *_PLACE)} AS packed",
    """LEFT JOIN chats c ON c.id = $3 AND c.workspace_id = s.workspace_id AND c.deleted_at IS NULL
    LEFT JOIN memberships m ON m.chat_id = c.id AND m.user_id = s.user_id AND m.left_seq IS NULL
    LEFT JOIN timelines t ON t.id = m.chat_id""",
)
_COLUMNS = ", ".join(_NAMES)
_ONE = f"SELECT {_COLUMNS} FROM messages WHERE id = $1 AND chat_id = $2"
_MANY = f"SELECT {_COLUMNS} FROM messages WHERE id IN ANY_OF($1)"
_BY_KEY = f"""
SELECT k.fingerprint, {columns_of("m")}
FROM message_keys k JOIN messages m ON m.id = k.message_id
WHERE k.idempotency_key = $1 AND k.chat_id = $2 AND k.sender_id = $3"""
_KEPT = "SELECT id FROM messages WHERE id IN ANY_OF($1) AND deleted_at IS NULL"
_KEEP_VERSION = """
INSERT INTO message_versions (message_id, until_seq, content, revision, edited_at, extras)
SELECT id, $2, content, revision, edited_at, extras FROM messages WHERE id = $1"""
_EDIT = "UPDATE messages SET content = $2, revision = revision + 1, edited_at = $3 WHERE id = $1"
_EMPTY = f"""
UPDATE messages SET content = '', extras = NULL, deleted_at = $2
WHERE id IN ANY_OF($1) AND deleted_at IS NULL RETURNING id, chat_id, {timeline_of("messages")} AS timeline_id"""
_VERSIONS = """
SELECT revision, content, edited_at, extras FROM message_versions
WHERE message_id = $1 AND revision > $2 ORDER BY until_seq LIMIT $3"""
_VERSIONS_OF_MANY = """
SELECT message_id, revision, content, edited_at, extras FROM message_versions
WHERE message_id IN ANY_OF($1) ORDER BY message_id, until_seq"""
_DROP_VERSIONS = "DELETE FROM message_versions WHERE message_id IN ANY_OF($1)"

END = 2**53
"""Above every message number."""
FORGOTTEN = -1
"""Replaces the fingerprint of a deleted message's content."""


class Version(msgspec.Struct, frozen=True):
    """The content of a message before an edit. `edited_at` is the time when it was written; None for the first."""

    revision: Annotated[int, msgspec.Meta(examples=[1])]
    content: Annotated[str, msgspec.Meta(examples=["Good mornign"])]
    edited_at: Timestamp | None
    extras: Extras | UnsetType = UNSET


def message(row: Row) -> Message:
    """Return the Message of a row with the columns of `columns_of`."""
    return Message(
        row["id"],
        row["chat_id"],
        row["number"],
        row["sender_id"],
        row["content"],
        row["revision"],
        timestamp(row["created_at"]),
        optional_timestamp(row["edited_at"]),
        optional_timestamp(row["deleted_at"]),
        stored_extras(row["extras"]),
    )


def stored_extras(text: str | None) -> Extras | UnsetType:
    """Return the stored extras of a message. Encoding writes them unchanged, so they are not decoded here."""
    return UNSET if text is None else cast(Extras, msgspec.Raw(text))


async def read_page(
    database: Database, session_id: SessionId, chat_id: ChatId, split: int, older: int, newer: int
) -> Row | None:
    """Read the person of a session (`rights.with_reader`), their chat, and the messages on both sides of a number.

    The further columns are the chat's type, when it was archived, the person's role in it, and the packed messages
    (`packed_page`). They are None if the person's workspace has no such chat.
    """
    keys = (session_id, (chat_id, split, older, newer))
    return await database.read_row(_READ_PAGE, session_id, now_ms(), chat_id, split, older, newer, keys=keys)


async def one(tx: Transaction, chat_id: ChatId, message_id: MessageId) -> Message | None:
    """Return a message of the chat, or None."""
    row = await tx.fetchrow(_ONE, message_id, chat_id)
    return None if row is None else message(row)


async def many(tx: Transaction, message_ids: Sequence[int]) -> dict[int, Message]:
    """Return messages by id; unknown ids are left out."""
    if not message_ids:
        return {}
    return {row["id"]: message(row) for row in await tx.fetch(_MANY, list(message_ids))}


async def kept(tx: Transaction, message_ids: list[int]) -> set[int]:
    """Return the ids of existing messages that are not deleted."""
    return {row["id"] for row in await tx.fetch(_KEPT, message_ids)} if message_ids else set()


async def by_key(
    tx: Transaction, key: bytes, chat_id: int, sender_id: int, given_key: str | None
) -> tuple[int, Message] | None:
    """Return the fingerprint of the first content, and the message that was sent with this key; None if there is none.

    `given_key` is the key as the sender wrote it, for the field `idempotency_key` of the message.
    """
    row = await tx.fetchrow(_BY_KEY, key, chat_id, sender_id)
    if row is None:
        return None
    found = message(row)
    return row["fingerprint"], msgspec.structs.replace(found, idempotency_key=given_key) if given_key else found


async def edit(tx: Transaction, message_id: MessageId, content: str, seq: int) -> None:
    """Replace the content. The earlier content is stored with `seq`, the number of the edit's event."""
    await tx.execute(_KEEP_VERSION, message_id, seq)
    await tx.execute(_EDIT, message_id, content, tx.now)


async def versions(tx: Transaction, message_id: MessageId, after: int, limit: int) -> list[Version]:
    """Return the earlier contents after the revision `after`, oldest first."""
    return [_version(row) for row in await tx.fetch(_VERSIONS, message_id, after, limit)]


async def versions_of_many(tx: Transaction, message_ids: list[int]) -> dict[int, list[Version]]:
    """Return all earlier contents of each message, oldest first; messages without any are left out."""
    found: dict[int, list[Version]] = {}
    for row in await tx.fetch(_VERSIONS_OF_MANY, message_ids) if message_ids else ():
        found.setdefault(row["message_id"], []).append(_version(row))
    return found


def _version(row: Row) -> Version:
    edited_at = optional_timestamp(row["edited_at"])
    return Version(row["revision"], row["content"], edited_at, stored_extras(row["extras"]))


async def empty(tx: Transaction, message_ids: list[MessageId]) -> list[tuple[MessageId, ChatId]]:
    """Delete the current and earlier contents of these messages; their rows and numbers remain.

    Returns the messages that were not deleted before, with their chats, by id.
    """
    rows = await tx.fetch(_EMPTY, message_ids, tx.now)
    if rows:
        await tx.execute(_DROP_VERSIONS, [row["id"] for row in rows])
        await timelines.note_deletions(tx, sorted({row["timeline_id"] for row in rows}))
    return sorted((MessageId(row["id"]), ChatId(row["chat_id"])) for row in rows)
