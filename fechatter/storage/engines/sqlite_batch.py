"""One batch of messages into SQLite: a constant number of statements, whatever the batch's size.

Rows travel as one JSON array a statement. `executemany` would take and release the interpreter's lock once a row; with a busy main loop
that made a batch of 32 rows cost 5 times as much (benches/results).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

import orjson

from fechatter.storage.engines.base import MessageRows, Stored, StoreResult
from fechatter.storage.event_types import MESSAGE_CREATED

_IDS = "UPDATE counters SET value = value + ? WHERE name = 'ids' RETURNING value"
_KEYS = """
INSERT INTO message_keys (idempotency_key, chat_id, sender_id, message_id, fingerprint, created_at)
SELECT substr(?2, value->>0, value->>1), value->>2, value->>3, value->>4, value->>5, ?3 FROM json_each(?1) WHERE true
ON CONFLICT DO NOTHING RETURNING message_id"""
_LOCK = """
UPDATE workspaces SET event_seq = event_seq + given.count
FROM (SELECT value->>0 AS id, value->>1 AS count FROM json_each(?1)) AS given
WHERE workspaces.id = given.id RETURNING workspaces.id, event_seq, rights_seq"""
_HEADS = """
UPDATE chat_heads SET last_number = last_number + given.count, last_message_id = given.last_id
FROM (SELECT value->>0 AS chat_id, value->>1 AS count, value->>2 AS last_id FROM json_each(?1)) AS given
WHERE chat_heads.chat_id = given.chat_id RETURNING chat_heads.chat_id, last_number"""
_MESSAGES = """
INSERT INTO messages (id, chat_id, number, sender_id, content, created_at)
SELECT value->>0, value->>1, value->>2, value->>3, value->>4, ?2 FROM json_each(?1)"""
_MARKS = """
INSERT INTO read_marks (chat_id, user_id, number)
SELECT value->>0, value->>1, value->>2 FROM json_each(?1) WHERE true
ON CONFLICT (chat_id, user_id) DO UPDATE SET number = max(number, excluded.number)"""
_EVENTS = f"""
INSERT INTO events (workspace_id, seq, type, chat_id, message_id, created_at)
SELECT value->>0, value->>1, {MESSAGE_CREATED}, value->>2, value->>3, ?2 FROM json_each(?1)"""


def _json(rows: Sequence[tuple[object, ...]]) -> str:
    return orjson.dumps(rows).decode()


def draw_ids(connection: sqlite3.Connection, count: int) -> int:
    """The first of `count` ids never used before."""
    (last,) = connection.execute(_IDS, (count,)).fetchall()[0]
    return int(last) - count + 1


def store(connection: sqlite3.Connection, rows: MessageRows, decided_with: Mapping[int, int], now: int) -> StoreResult:
    """Inside BEGIN IMMEDIATE; the caller commits, or rolls back when a workspace is stale."""
    first_id = draw_ids(connection, len(rows.rows))
    fresh = _claim_keys(connection, rows, first_id, now)
    repeats = [rows.rows[place] for place in range(len(rows.rows)) if place not in fresh] if len(fresh) < len(rows.rows) else []
    places = sorted(fresh) if repeats else list(range(len(rows.rows)))
    workspace_ids = [rows.workspace_ids[place] for place in places]
    next_seq, stale = _lock(connection, workspace_ids, decided_with)
    if stale:
        # One transaction holds them all: whoever is decided again, all are.
        return StoreResult([], set(decided_with), {})
    chat_ids = [rows.chat_ids[place] for place in places]
    ids = [first_id + place for place in places]
    next_number = _raise_heads(connection, chat_ids, ids)
    numbers = _count_up(next_number, chat_ids)
    sequences = _count_up(next_seq, workspace_ids)
    stored = Stored([rows.rows[place] for place in places], ids, numbers, sequences, workspace_ids, chat_ids, repeats)
    _insert(connection, stored, [rows.sender_ids[place] for place in places], [rows.contents[place] for place in places], now)
    return StoreResult([stored], set(), {})


def _claim_keys(connection: sqlite3.Connection, rows: MessageRows, first_id: int, now: int) -> set[int]:
    """The places whose message is new: those without a key, and those whose key was not there."""
    fresh = {place for place, key in enumerate(rows.keys) if key is None}
    keyed: list[tuple[object, ...]] = []
    blob = bytearray()
    for place, key in enumerate(rows.keys):
        if key is not None:
            keyed.append(
                (len(blob) + 1, len(key), rows.chat_ids[place], rows.sender_ids[place], first_id + place, rows.fingerprints[place])
            )
            blob += key
    if keyed:
        for (message_id,) in connection.execute(_KEYS, (_json(keyed), bytes(blob), now)):
            fresh.add(message_id - first_id)
    return fresh


def _tally(values: list[int]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return counts


def _lock(connection: sqlite3.Connection, workspace_ids: list[int], decided_with: Mapping[int, int]) -> tuple[dict[int, int], set[int]]:
    """Each workspace's next event number, and the workspaces whose rights moved on; also of those that only repeat."""
    counts = dict.fromkeys(decided_with, 0) | _tally(workspace_ids)
    next_seq, stale = {}, set()
    for workspace_id, event_seq, rights_seq in connection.execute(_LOCK, (_json(list(counts.items())),)):
        next_seq[workspace_id] = event_seq - counts[workspace_id] + 1
        if rights_seq != decided_with[workspace_id]:
            stale.add(workspace_id)
    return next_seq, stale


def _raise_heads(connection: sqlite3.Connection, chat_ids: list[int], ids: list[int]) -> dict[int, int]:
    """Each chat's next number."""
    counts = _tally(chat_ids)
    last_ids = dict(zip(chat_ids, ids, strict=True))
    given: list[tuple[object, ...]] = [(chat_id, count, last_ids[chat_id]) for chat_id, count in counts.items()]
    return {chat_id: last_number - counts[chat_id] + 1 for chat_id, last_number in connection.execute(_HEADS, (_json(given),))}


def _count_up(next_value: dict[int, int], keys: list[int]) -> list[int]:
    """Number the rows within their key, in order."""
    numbers = []
    for key in keys:
        numbers.append(next_value[key])
        next_value[key] += 1
    return numbers


def _insert(connection: sqlite3.Connection, stored: Stored, sender_ids: list[int], contents: list[str], now: int) -> None:
    messages = list(zip(stored.ids, stored.chat_ids, stored.numbers, sender_ids, contents, strict=True))
    connection.execute(_MESSAGES, (_json(messages), now))
    marks = {(chat_id, sender_id): number for _, chat_id, number, sender_id, _ in messages}
    connection.execute(_MARKS, (_json([(*pair, number) for pair, number in marks.items()]),))
    events = list(zip(stored.workspace_ids, stored.sequences, stored.chat_ids, stored.ids, strict=True))
    connection.execute(_EVENTS, (_json(events), now))
