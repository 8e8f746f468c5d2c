"""The event log: every change that clients show, numbered without gaps in each workspace.

An event is committed together with the rows that it describes. An event of a message contains no copy of the content;
`load` adds the content as of the event's number. Live frames are made by the same `load`, so a replay sends the same
bytes as live delivery.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec
import orjson

from fechatter.events import EVENTS, EventData, EventType, MessageData, Visibility, types_visible_to
from fechatter.frames import Frame, encode_block, event_object
from fechatter.model import Message, Position, UserId, WorkspaceId, optional_timestamp, timestamp
from fechatter.storage import eras, messages
from fechatter.storage.engines.base import Row, Transaction
from fechatter.storage.event_types import TYPE_CODES, TYPES

log = logging.getLogger(__name__)


def _codes(visibility: Visibility) -> str:
    return ", ".join(str(TYPE_CODES[event_type]) for event_type in types_visible_to(visibility))


_RESERVE = """
UPDATE workspaces SET event_seq = event_seq + $2,
    rights_seq = CASE WHEN $3 > 0 THEN event_seq + $2 ELSE rights_seq END
WHERE id = $1 RETURNING event_seq, era, (SELECT epoch FROM server WHERE id = 1) AS current_era"""
_INSERT = f"""
INSERT INTO events (workspace_id, seq, type, chat_id, user_id, message_id, data, created_at)
SELECT $1, CAST(value->>0 AS BIGINT), CAST(value->>1 AS BIGINT), CAST(value->>2 AS BIGINT), CAST(value->>3 AS BIGINT),
    CAST(value->>4 AS BIGINT), value->>5, $3
FROM JSON_ROWS($2) AS rows
RETURNING {eras.era_at("events.workspace_id", "events.seq")} AS era"""
_COLUMNS = f"""
SELECT {eras.era_at("e.workspace_id", "e.seq")} AS era, e.seq, e.type, e.chat_id AS of_chat, e.user_id, e.data,
    e.created_at AS at, {messages.columns_of("m")}
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
# For each pair (message, event number): the content at that number, if it was replaced later. At most one row per pair.
_VERSIONS = """
SELECT v.message_id, p.b AS seq, v.content, v.revision, v.edited_at, v.extras
FROM PAIRS($1) AS p JOIN message_versions v ON v.message_id = p.a AND v.until_seq = (
    SELECT MIN(x.until_seq) FROM message_versions x WHERE x.message_id = p.a AND x.until_seq > p.b)"""
_POSITION = f"""
SELECT w.event_seq, w.floor_seq, w.rights_seq, {eras.OF_HEAD} AS era, v.epoch AS current_era
FROM workspaces w JOIN server v ON v.id = 1 WHERE w.id = $1"""
_CHECKS = f"""
SELECT w.id, w.event_seq, {eras.OF_HEAD} AS era, {eras.era_at("w.id", "p.b")} AS era_there
FROM workspaces w JOIN PAIRS($1) AS p ON p.a = w.id JOIN server v ON v.id = 1 WHERE w.id IN ANY_OF($2)"""


class Draft(msgspec.Struct, frozen=True):
    """An event without a number.

    Attributes:
        data: the frame's `data`; None if the data is the message, or if no client sees the event.
        own: other `data` for the person `user_id`, or None.
        session_id: for `session.revoked`.
    """

    type: EventType
    chat_id: int | None = None
    user_id: int | None = None
    message_id: int | None = None
    data: EventData | None = None
    own: EventData | None = None
    session_id: int | None = None


class Heads(msgspec.Struct, frozen=True):
    """The state of a workspace's log.

    Attributes:
        head: the newest number.
        floor: the newest number that was deleted, with all numbers below it.
        rights: the number of the newest change of rights.
        era: the era of `head`.
        current_era: the era of the next number.
    """

    head: int
    floor: int
    rights: int
    era: str
    current_era: str

    @property
    def position(self) -> Position:
        return Position(self.era, self.head)


class LogCheck(msgspec.Struct, frozen=True):
    """The head of a workspace's log, and whether the log still contains the position that was checked (`kept`)."""

    head: Position
    kept: bool


async def append(tx: Transaction, workspace_id: WorkspaceId, drafts: Sequence[Draft], *, rights: bool) -> int:
    """Number and store events; returns the first number. `rights` marks a change of rights.

    Call this under the workspace's lock. Raises WentBack, LookupError: the workspace was removed.
    """
    first = await reserve(tx, workspace_id, len(drafts), rights=rights)
    await insert(tx, workspace_id, first, drafts)
    return first


async def reserve(tx: Transaction, workspace_id: WorkspaceId, count: int, *, rights: bool) -> int:
    """Reserve `count` numbers for `insert` in the same transaction; returns the first number."""
    row = await tx.fetchrow(_RESERVE, workspace_id, count, int(rights))
    if row is None:
        raise LookupError(f"no workspace {workspace_id}")
    last, first = int(row["event_seq"]), int(row["event_seq"]) - count + 1
    tx.high_water.check(workspace_id, first - 1, row["current_era"])
    tx.reserved[workspace_id] = last
    if row["era"] != row["current_era"]:
        await eras.enter(tx, workspace_id, first, row["current_era"])
    return first


async def insert(tx: Transaction, workspace_id: WorkspaceId, first: int, drafts: Sequence[Draft]) -> None:
    """Store events under reserved numbers, and append their frames to `tx.frames`."""
    rows = [_stored_row(seq, draft) for seq, draft in enumerate(drafts, first)]
    inserted = await tx.fetch(_INSERT, workspace_id, rows, tx.now)
    if any(draft.message_id is not None for draft in drafts):
        tx.frames.extend(await load(tx, workspace_id, first - 1, first + len(drafts) - 1))
        return
    # Without a message, the frames contain only values that were just written, so they need no read.
    for row, returned in zip(rows, inserted, strict=True):
        tx.frames.append(_frame(workspace_id, _as_read(row, tx.now, returned["era"]), None))


def _as_read(row: tuple[object, ...], now: int, era: str) -> Row:
    """Return an event without a message as `_RANGE` would read it."""
    seq, code, chat_id, user_id, _, data = row
    read = {"seq": seq, "type": code, "of_chat": chat_id, "user_id": user_id, "data": data, "at": now, "era": era}
    return cast(Row, {**read, "id": None})


def _stored_row(seq: int, draft: Draft) -> tuple[object, ...]:
    data = orjson.dumps(_stored_data(draft)).decode()
    return seq, TYPE_CODES[draft.type], draft.chat_id, draft.user_id, draft.message_id, data


def _stored_data(draft: Draft) -> dict[str, object]:
    _check_data(draft)
    stored = {"data": msgspec.to_builtins(draft.data)}
    if draft.own is not None:
        stored["own"] = msgspec.to_builtins(draft.own)
    if draft.session_id is not None:
        stored["session_id"] = draft.session_id
    return stored


def _check_data(draft: Draft) -> None:
    declared = EVENTS[draft.type].data
    wanted = type(None) if declared in (None, MessageData) else declared
    if type(draft.data) is not wanted or (draft.own is not None and type(draft.own) is not wanted):
        raise TypeError(f"the data of {draft.type} must be {wanted}, see fechatter/events.py")


async def heads(tx: Transaction, workspace_id: WorkspaceId) -> Heads:
    """Read the state of the workspace's log. Raises LookupError: the workspace was removed."""
    row = await tx.fetchrow(_POSITION, workspace_id)
    if row is None:
        raise LookupError(f"no workspace {workspace_id}")
    return Heads(row["event_seq"], row["floor_seq"], row["rights_seq"], row["era"], row["current_era"])


async def check_positions(tx: Transaction, positions: Mapping[int, Position]) -> tuple[str, dict[int, LogCheck]]:
    """Check whether the logs of several workspaces still contain these positions.

    Returns the current era, and the check of each workspace that still exists.
    """
    pairs = [(workspace_id, position.seq) for workspace_id, position in positions.items()]
    rows = await tx.fetch(_CHECKS, pairs, list(positions)) if pairs else []
    found = {row["id"]: _check(row, positions[row["id"]]) for row in rows}
    return await eras.current(tx), found


def _check(row: Row, position: Position) -> LogCheck:
    # Before its first event, a workspace has no range of numbers.
    there = position.seq == 0 or row["era_there"] == position.era
    return LogCheck(Position(row["era"], row["event_seq"]), there and row["event_seq"] >= position.seq)


async def load(
    tx: Transaction, workspace_id: WorkspaceId, after: int, upto: int, limit: int = 1_000_000
) -> list[Frame]:
    """Return the frames of the events after+1 … upto, at most `limit`. Contents are as of each event."""
    return await _frames(tx, workspace_id, await tx.fetch(_RANGE, workspace_id, after, upto, limit))


async def load_visible(
    tx: Transaction, workspace_id: WorkspaceId, after: int, upto: int, user_id: UserId, *, guest: bool, limit: int
) -> list[Frame]:
    """Return the frames of the events after+1 … upto that a person may see, at most `limit`.

    Events of a chat are visible from the event with which the person joined. From a former chat, only the event with
    which the person left is visible.
    """
    rows = await tx.fetch(_VISIBLE, workspace_id, after, upto, user_id, int(guest), limit)
    return await _frames(tx, workspace_id, rows)


async def _frames(tx: Transaction, workspace_id: WorkspaceId, rows: Sequence[Row]) -> list[Frame]:
    edited = [(row["id"], row["seq"]) for row in rows if row["revision"] is not None and row["revision"] > 1]
    versions = {version["seq"]: version for version in await tx.fetch(_VERSIONS, edited)} if edited else {}
    return [_frame(workspace_id, row, versions.get(row["seq"])) for row in rows]


def _frame(workspace_id: WorkspaceId, row: Row, version: Row | None) -> Frame:
    try:
        return _readable(workspace_id, row, version)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        log.error("event %d of workspace %d cannot be read: %r", row["seq"], workspace_id, error)
        return _unreadable(workspace_id, row)


def _unreadable(workspace_id: WorkspaceId, row: Row) -> Frame:
    """Return the frame that replaces an event which is broken or was written by a newer server.

    The frame has the event's number, so that later events can follow, and it still moves people between lanes.
    """
    shown = event_object(workspace_id, row["seq"], EventType.UNREADABLE, row["of_chat"], timestamp(0), {})
    block = encode_block(row["era"], row["seq"], EventType.UNREADABLE, shown)
    event_type = TYPES.get(row["type"], EventType.UNREADABLE)
    return Frame(workspace_id, row["seq"], event_type, row["of_chat"], row["user_id"], block, era=row["era"])


def _readable(workspace_id: WorkspaceId, row: Row, version: Row | None) -> Frame:
    event_type = TYPES[row["type"]]
    stored: dict[str, Any] = orjson.loads(row["data"]) if row["data"] else {}
    message = None if row["id"] is None else _message_as_of(row, version)
    at = timestamp(row["at"])
    data = stored.get("data")
    if data is None:
        data = {"message": message}

    def block(shown: object) -> bytes:
        event = event_object(workspace_id, row["seq"], event_type, row["of_chat"], at, shown)
        return encode_block(row["era"], row["seq"], event_type, event)

    own = stored.get("own")
    if own is not None and "chat" in own:
        own["chat"]["last_message"] = message
    return Frame(
        workspace_id,
        row["seq"],
        event_type,
        row["of_chat"],
        row["user_id"],
        block(data),
        None if own is None else block(own),
        stored.get("session_id"),
        row["era"],
    )


def _message_as_of(row: Row, version: Row | None) -> Message:
    """Return the message as it was at the event's number; a deleted message has no content at any number."""
    now = messages.message(row)
    if version is None:
        return now
    deleted = now.deleted_at is not None
    return msgspec.structs.replace(
        now,
        content="" if deleted else version["content"],
        revision=version["revision"],
        edited_at=optional_timestamp(version["edited_at"]),
        extras=messages.stored_extras(None if deleted else version["extras"]),
    )
