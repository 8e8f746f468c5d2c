"""The event log: everything that changes what a client shows, numbered without gaps in each workspace, committed with the rows it tells of.

An event of a message holds no copy of its content: `load` gives the content as of the event's number. The frames of what a transaction
appended are made by the same `load`, so a replay shows the same bytes as live delivery did.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import msgspec
import orjson

from fechatter.frames import Frame, encode_block, event_object
from fechatter.model import EventType, UserId, Visibility, WorkspaceId, optional_timestamp, timestamp, types_visible_to
from fechatter.storage.engines.base import Row, Transaction
from fechatter.storage.event_types import TYPE_CODES, TYPES

log = logging.getLogger(__name__)


def _codes(visibility: Visibility) -> str:
    return ", ".join(str(TYPE_CODES[event_type]) for event_type in types_visible_to(visibility))


_RESERVE = """
UPDATE workspaces SET event_seq = event_seq + $2,
    rights_seq = CASE WHEN $3 > 0 THEN event_seq + $2 ELSE rights_seq END
WHERE id = $1 RETURNING event_seq"""
_INSERT = """
INSERT INTO events (workspace_id, seq, type, chat_id, user_id, message_id, data, created_at)
SELECT $1, CAST(value->>0 AS BIGINT), CAST(value->>1 AS BIGINT), CAST(value->>2 AS BIGINT), CAST(value->>3 AS BIGINT),
    CAST(value->>4 AS BIGINT), value->>5, $3
FROM JSON_ROWS($2) AS rows"""
_COLUMNS = """
SELECT e.seq, e.type, e.chat_id, e.user_id, e.message_id, e.data, e.created_at,
    m.number, m.sender_id, m.content, m.revision, m.created_at AS sent_at, m.edited_at, m.deleted_at
FROM events e LEFT JOIN messages m ON m.id = e.message_id"""
_RANGE = f"{_COLUMNS} WHERE e.workspace_id = $1 AND e.seq > $2 AND e.seq <= $3 ORDER BY e.seq LIMIT $4"
_VISIBLE = f"""
{_COLUMNS} LEFT JOIN memberships p ON p.chat_id = e.chat_id AND p.user_id = $4
WHERE e.workspace_id = $1 AND e.seq > $2 AND e.seq <= $3 AND e.type NOT IN ({_codes(Visibility.SERVER)})
    AND (e.user_id = $4 OR e.type NOT IN ({_codes(Visibility.PERSON)}))
    AND ((e.chat_id IS NULL AND ($5 = 0 OR e.user_id IS NULL OR e.user_id = $4))
        OR (p.left_seq IS NULL AND p.joined_seq <= e.seq)
        OR p.left_seq = e.seq)
ORDER BY e.seq LIMIT $6"""
# Of each pair (message, number) the content that was there then, if another one has followed: however often it was edited, one row.
_VERSIONS = """
SELECT v.message_id, p.b AS seq, v.content, v.revision, v.edited_at
FROM PAIRS($1) AS p JOIN message_versions v ON v.message_id = p.a AND v.until_seq = (
    SELECT MIN(x.until_seq) FROM message_versions x WHERE x.message_id = p.a AND x.until_seq > p.b)"""
_POSITION = "SELECT event_seq, floor_seq, rights_seq FROM workspaces WHERE id = $1"
_HEADS = "SELECT id, event_seq FROM workspaces WHERE id IN ANY_OF($1)"


class Draft(msgspec.Struct, frozen=True):
    """An event about to be numbered.

    Attributes:
        data: the frame's `data`, JSON-ready; None for events of a message.
        own: what the event's own `user_id` is shown instead of `data`.
        session_id: for `session.revoked`.
    """

    type: EventType
    chat_id: int | None = None
    user_id: int | None = None
    message_id: int | None = None
    data: Any = None
    own: Any = None
    session_id: int | None = None


class Heads(msgspec.Struct, frozen=True):
    """A workspace's log: `head` is its newest number, everything up to `floor` is gone, `rights` the newest change of rights."""

    head: int
    floor: int
    rights: int


async def append(tx: Transaction, workspace_id: WorkspaceId, drafts: Sequence[Draft], *, rights: bool) -> int:
    """Number and store events; returns the first one's number. The workspace must be locked."""
    first = await reserve(tx, workspace_id, len(drafts), rights=rights)
    await insert(tx, workspace_id, first, drafts)
    return first


async def reserve(tx: Transaction, workspace_id: WorkspaceId, count: int, *, rights: bool) -> int:
    """Take `count` numbers, to be filled by `insert` in the same transaction; returns the first."""
    row = await tx.fetchrow(_RESERVE, workspace_id, count, int(rights))
    if row is None:
        raise LookupError(f"no workspace {workspace_id}")
    return int(row["event_seq"]) - count + 1


async def insert(tx: Transaction, workspace_id: WorkspaceId, first: int, drafts: Sequence[Draft]) -> None:
    """Store events under numbers reserved before, and put their frames into `tx.frames`."""
    rows = [
        (seq, TYPE_CODES[draft.type], draft.chat_id, draft.user_id, draft.message_id, orjson.dumps(_stored_data(draft)).decode())
        for seq, draft in enumerate(drafts, first)
    ]
    await tx.execute(_INSERT, workspace_id, rows, tx.now)
    tx.frames.extend(await load(tx, workspace_id, first - 1, first + len(drafts) - 1))


def _stored_data(draft: Draft) -> dict[str, object]:
    stored = {"data": msgspec.to_builtins(draft.data)}
    if draft.own is not None:
        stored["own"] = msgspec.to_builtins(draft.own)
    if draft.session_id is not None:
        stored["session_id"] = draft.session_id
    return stored


async def heads(tx: Transaction, workspace_id: WorkspaceId) -> Heads:
    """The workspace's head, floor and rights position in this snapshot."""
    row = await tx.fetchrow(_POSITION, workspace_id)
    if row is None:
        raise LookupError(f"no workspace {workspace_id}")
    return Heads(row["event_seq"], row["floor_seq"], row["rights_seq"])


async def heads_of(tx: Transaction, workspace_ids: list[int]) -> dict[int, int]:
    """The heads of several workspaces in one query."""
    return {row["id"]: row["event_seq"] for row in await tx.fetch(_HEADS, workspace_ids)}


async def load(tx: Transaction, workspace_id: WorkspaceId, after: int, upto: int, limit: int = 1_000_000) -> list[Frame]:
    """The frames of the numbers after+1 … upto, contents as of each number, for every listener alike."""
    return await _frames(tx, workspace_id, await tx.fetch(_RANGE, workspace_id, after, upto, limit))


async def load_visible(
    tx: Transaction, workspace_id: WorkspaceId, after: int, upto: int, user_id: UserId, *, guest: bool, limit: int
) -> list[Frame]:
    """What one person is shown of after+1 … upto: the chats it is in now, from its joining on; of others only its own leaving."""
    rows = await tx.fetch(_VISIBLE, workspace_id, after, upto, user_id, int(guest), limit)
    return await _frames(tx, workspace_id, rows)


async def _frames(tx: Transaction, workspace_id: WorkspaceId, rows: Sequence[Row]) -> list[Frame]:
    edited = [(row["message_id"], row["seq"]) for row in rows if row["revision"] is not None and row["revision"] > 1]
    versions = {version["seq"]: version for version in await tx.fetch(_VERSIONS, edited)} if edited else {}
    return [_frame(tx.epoch, workspace_id, row, versions.get(row["seq"])) for row in rows]


def _frame(epoch: str, workspace_id: WorkspaceId, row: Row, version: Row | None) -> Frame:
    try:
        return _readable(epoch, workspace_id, row, version)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        log.error("event %d of workspace %d cannot be read: %r", row["seq"], workspace_id, error)
        return _unreadable(epoch, workspace_id, row)


def _unreadable(epoch: str, workspace_id: WorkspaceId, row: Row) -> Frame:
    """What stands for a broken event, or one that a newer server wrote: it has its number, so that all that follows is shown, and moves
    whom it moves between lanes."""
    shown = event_object(workspace_id, row["seq"], EventType.UNREADABLE, row["chat_id"], 0, {})
    block = encode_block(epoch, row["seq"], EventType.UNREADABLE, shown)
    event_type = TYPES.get(row["type"], EventType.UNREADABLE)
    return Frame(workspace_id, row["seq"], event_type, row["chat_id"], row["user_id"], block)


def _readable(epoch: str, workspace_id: WorkspaceId, row: Row, version: Row | None) -> Frame:
    event_type = TYPES[row["type"]]
    stored: dict[str, Any] = orjson.loads(row["data"]) if row["data"] else {}
    message = _message_as_of(row, version) if row["number"] is not None else None
    data = stored.get("data")
    if data is None:
        data = {"message": message}

    def block(shown: object) -> bytes:
        event = event_object(workspace_id, row["seq"], event_type, row["chat_id"], row["created_at"], shown)
        return encode_block(epoch, row["seq"], event_type, event)

    own = stored.get("own")
    if own is not None and "chat" in own:
        own["chat"]["last_message"] = message
    return Frame(
        workspace_id,
        row["seq"],
        event_type,
        row["chat_id"],
        row["user_id"],
        block(data),
        None if own is None else block(own),
        stored.get("session_id"),
    )


def _message_as_of(row: Row, version: Row | None) -> dict[str, object]:
    """The message as it was at the event's number; a message deleted since shows no content, whatever the number."""
    was = row if version is None else version
    content, revision, edited_at = was["content"], was["revision"], was["edited_at"]
    deleted = row["deleted_at"] is not None
    return {
        "id": row["message_id"],
        "chat_id": row["chat_id"],
        "number": row["number"],
        "sender_id": row["sender_id"],
        "content": "" if deleted else content,
        "revision": revision,
        "created_at": timestamp(row["sent_at"]),
        "edited_at": optional_timestamp(edited_at),
        "deleted_at": optional_timestamp(row["deleted_at"]),
    }
