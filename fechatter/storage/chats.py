"""Rows of chats, their heads, and one person's view of them.

The heads are rows of `timelines`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from fechatter.model import ChatId, ChatType, MessageId, UserId, WorkspaceId
from fechatter.storage import timelines
from fechatter.storage.engines.base import Row, Transaction
from fechatter.storage.read_marks import DELETED_ABOVE


class ChatRow(msgspec.Struct, frozen=True):
    """A chat as stored, with one person's state in it: `my_role` is None if the person is not a member.

    `my_deleted_above` is the number of deleted messages above the person's read mark; 0 if the person is not a member.
    """

    id: ChatId
    chat_type: ChatType
    name: str | None
    description: str
    owner_id: UserId
    member_count: int
    created_at: int
    updated_at: int
    archived_at: int | None
    last_number: int
    last_message_id: MessageId | None
    my_role: str | None
    my_read_number: int
    my_starred: int
    my_muted: int
    my_read_revision: int
    my_deleted_above: int

    @property
    def unread_count(self) -> int:
        """The number of unread messages of the person."""
        return max(0, self.last_number - self.my_read_number - self.my_deleted_above)


class NewChat(msgspec.Struct, frozen=True):
    """A chat to insert. `pair` is the two people of a single chat, the lower id first."""

    id: ChatId
    workspace_id: WorkspaceId
    chat_type: ChatType
    name: str | None
    name_key: str | None
    description: str
    creator_id: UserId
    member_count: int
    idempotency_key: str | None
    fingerprint: int | None
    pair: tuple[UserId, UserId] | None


_COLUMNS = f"""
SELECT c.id, c.chat_type, c.name, c.description, c.owner_id, c.member_count, c.created_at, c.updated_at, c.archived_at,
    h.last_number, h.last_message_id, m.role, COALESCE(r.number, 0) AS read_number,
    COALESCE(m.starred, 0) AS starred, COALESCE(m.muted, 0) AS muted, COALESCE(r.revision, 0) AS read_revision,
    CASE WHEN m.user_id IS NULL THEN 0 ELSE {DELETED_ABOVE} END AS deleted_above"""
_MARKS = "LEFT JOIN read_marks r ON r.timeline_id = m.chat_id AND r.user_id = m.user_id"
_MINE = f"""
{_COLUMNS}
FROM memberships m JOIN chats c ON c.id = m.chat_id JOIN timelines h ON h.id = m.chat_id {_MARKS}
WHERE m.user_id = $1 AND m.left_seq IS NULL AND m.chat_id > $2 AND c.deleted_at IS NULL ORDER BY m.chat_id LIMIT $3"""
_FIND = f"""
{_COLUMNS}
FROM chats c JOIN timelines h ON h.id = c.id
    LEFT JOIN memberships m ON m.chat_id = c.id AND m.user_id = $3 AND m.left_seq IS NULL {_MARKS}
WHERE c.id = $2 AND c.workspace_id = $1 AND c.deleted_at IS NULL"""
_PUBLIC = """
SELECT c.id, c.name, c.description, c.member_count, c.created_at, m.user_id AS mine
FROM chats c LEFT JOIN memberships m ON m.chat_id = c.id AND m.user_id = $2 AND m.left_seq IS NULL
WHERE c.workspace_id = $1 AND c.chat_type = 'public_channel' AND c.deleted_at IS NULL AND c.archived_at IS NULL
    AND ($3 = 1 OR m.user_id IS NOT NULL) AND c.name_key LIKE $4 ESCAPE '!' AND c.id > $5
ORDER BY c.id LIMIT $6"""
_INSERT = """
INSERT INTO chats (id, workspace_id, chat_type, name, name_key, description, owner_id, creator_id, member_count,
    idempotency_key, fingerprint, pair_low, pair_high, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10, $11, $12, $13, $13)"""
_PAIR = "SELECT id FROM chats WHERE workspace_id = $1 AND pair_low = $2 AND pair_high = $3"
_KEYED = "SELECT id, fingerprint FROM chats WHERE creator_id = $1 AND idempotency_key = $2"
_NAMED = """
SELECT id FROM chats
WHERE workspace_id = $1 AND name_key = $2 AND chat_type = 'public_channel' AND deleted_at IS NULL"""
_PUBLIC_NAMES = """
SELECT id, name FROM chats WHERE workspace_id = $1 AND chat_type = 'public_channel' AND deleted_at IS NULL
ORDER BY id LIMIT $2"""
_CHANGE = """
UPDATE chats SET name = $2, name_key = CASE WHEN name = $2 THEN name_key ELSE $3 END, description = $4,
    archived_at = $5, updated_at = $6
WHERE id = $1"""
_COUNT = "UPDATE chats SET member_count = member_count + $2, updated_at = $3 WHERE id = $1"
_OWNER = "UPDATE chats SET owner_id = $2, updated_at = $3 WHERE id = $1"
FORGOTTEN = -1
"""Replaces the fingerprint of the request after its chat was deleted."""
# All text that people wrote is cleared at once. The fingerprint could confirm a guess of that text.
_DELETE = f"""
UPDATE chats SET deleted_at = $2, updated_at = $2, member_count = 0, description = '',
    name = CASE WHEN name IS NULL THEN NULL ELSE '' END, name_key = CASE WHEN name_key IS NULL THEN NULL ELSE '' END,
    fingerprint = CASE WHEN fingerprint IS NULL THEN NULL ELSE {FORGOTTEN} END
WHERE id = $1"""


async def find(tx: Transaction, workspace_id: WorkspaceId, chat_id: ChatId, user_id: UserId) -> ChatRow | None:
    """Return the chat with this person's state; None if it is deleted or belongs to another workspace."""
    row = await tx.fetchrow(_FIND, workspace_id, chat_id, user_id)
    return None if row is None else _chat(row)


async def mine(tx: Transaction, user_id: UserId, after: int, limit: int) -> list[ChatRow]:
    """Return the person's chats after the id `after`, by id."""
    return [_chat(row) for row in await tx.fetch(_MINE, user_id, after, limit)]


def _chat(row: Row) -> ChatRow:
    # _COLUMNS has the order of ChatRow's fields.
    chat_id, chat_type, *rest = row
    return ChatRow(chat_id, ChatType(chat_type), *rest)


async def public(
    tx: Transaction,
    workspace_id: WorkspaceId,
    user_id: UserId,
    pattern: str,
    after: int,
    limit: int,
    *,
    joined_only: bool,
) -> Sequence[Row]:
    """Return public channels whose name key is LIKE `pattern` (escape character `!`), by id.

    The column `mine` is NULL if the person is not a member.
    """
    return await tx.fetch(_PUBLIC, workspace_id, user_id, int(not joined_only), pattern, after, limit)


async def with_pair(tx: Transaction, workspace_id: WorkspaceId, pair: tuple[UserId, UserId]) -> ChatId | None:
    """Return the single chat of two people, or None; the lower id comes first."""
    row = await tx.fetchrow(_PAIR, workspace_id, *pair)
    return None if row is None else ChatId(row["id"])


async def with_key(tx: Transaction, creator_id: UserId, idempotency_key: str) -> tuple[ChatId, int] | None:
    """Return the chat that the person created with this key, even if deleted, and the fingerprint of that request."""
    row = await tx.fetchrow(_KEYED, creator_id, idempotency_key)
    return None if row is None else (ChatId(row["id"]), row["fingerprint"])


async def public_with_name(tx: Transaction, workspace_id: WorkspaceId, name_key: str) -> ChatId | None:
    """Return the public channel with this name key, or None."""
    row = await tx.fetchrow(_NAMED, workspace_id, name_key)
    return None if row is None else ChatId(row["id"])


async def public_names(tx: Transaction, workspace_id: WorkspaceId, limit: int) -> list[tuple[ChatId, str]]:
    """Return the oldest public channels with their names, including archived channels."""
    return [(ChatId(row["id"]), row["name"]) for row in await tx.fetch(_PUBLIC_NAMES, workspace_id, limit)]


async def insert(tx: Transaction, chat: NewChat) -> None:
    """Store a new chat, owned by its creator, with its head at number 0. Raises UniqueViolation."""
    await tx.execute(
        _INSERT,
        chat.id,
        chat.workspace_id,
        chat.chat_type.value,
        chat.name,
        chat.name_key,
        chat.description,
        chat.creator_id,
        chat.member_count,
        chat.idempotency_key,
        chat.fingerprint,
        *(chat.pair or (None, None)),
        tx.now,
    )
    await timelines.begin(tx, chat.id)


async def change(
    tx: Transaction, chat_id: ChatId, name: str | None, name_key: str | None, description: str, archived_at: int | None
) -> None:
    """Set the fields that a PATCH may change; an unchanged name keeps its key. Raises UniqueViolation."""
    await tx.execute(_CHANGE, chat_id, name, name_key, description, archived_at, tx.now)


async def count(tx: Transaction, chat_id: ChatId, difference: int) -> None:
    """Add `difference` to `member_count`: positive when people join, negative when they leave."""
    await tx.execute(_COUNT, chat_id, difference, tx.now)


async def set_owner(tx: Transaction, chat_id: ChatId, owner_id: UserId) -> None:
    """Set the owner in the chat's row. `members.set_role` sets the roles of the memberships."""
    await tx.execute(_OWNER, chat_id, owner_id, tx.now)


async def delete(tx: Transaction, chat_id: ChatId) -> None:
    """Hide the chat permanently and free its name. `erasure` deletes its contents later."""
    await tx.execute(_DELETE, chat_id, tx.now)
