"""One workspace's part of a batch into PostgreSQL: one statement, one round trip, one commit.

The statement locks the workspace's row first; every other part of it needs that row, so ids, chat numbers and event numbers are drawn
under the lock. Its snapshot may be older than the lock: a key that another node stored meanwhile shows as a unique violation, and the
batch then goes the careful way, lock first, look up, insert.
"""

from __future__ import annotations

from fechatter.storage.engines.base import MessageRows, Stored, UniqueViolation
from fechatter.storage.engines.postgres_link import Link
from fechatter.storage.engines.postgres_settings import WRITE
from fechatter.storage.event_types import MESSAGE_CREATED

# $1 workspace, $2 rights_seq decided with, $3 now, $4 count, $5 chats, $6 senders, $7 contents, $8 keys, $9 fingerprints,
# $10 each row's place within its chat (from 1)
_STORE = f"""
WITH locked AS (
    UPDATE workspaces SET event_seq = event_seq + $4 WHERE id = $1 AND rights_seq = $2 RETURNING event_seq
), given AS (
    SELECT * FROM unnest($5::bigint[], $6::bigint[], $7::text[], $8::bytea[], $9::bigint[], $10::bigint[])
        WITH ORDINALITY AS g (chat_id, sender_id, content, idempotency_key, fingerprint, place, ordinal)
), drawn AS MATERIALIZED (
    SELECT nextval('ids') AS id, ordered.* FROM (
        SELECT given.*, locked.event_seq - $4 + given.ordinal AS seq FROM locked, given ORDER BY given.ordinal
    ) AS ordered
), heads AS (
    UPDATE chat_heads SET last_number = last_number + per_chat.count, last_message_id = per_chat.last_id
    FROM (SELECT chat_id, count(*) AS count, max(id) AS last_id FROM drawn GROUP BY chat_id) AS per_chat
    WHERE chat_heads.chat_id = per_chat.chat_id
    RETURNING chat_heads.chat_id, last_number - per_chat.count AS before
), numbered AS MATERIALIZED (
    SELECT drawn.*, heads.before + drawn.place AS number FROM drawn JOIN heads USING (chat_id)
), stored AS (
    INSERT INTO messages (id, chat_id, number, sender_id, content, created_at)
    SELECT id, chat_id, number, sender_id, content, $3 FROM numbered ORDER BY ordinal
), keyed AS (
    INSERT INTO message_keys (idempotency_key, chat_id, sender_id, message_id, fingerprint, created_at)
    SELECT idempotency_key, chat_id, sender_id, id, fingerprint, $3 FROM numbered WHERE idempotency_key IS NOT NULL
), marked AS (
    INSERT INTO read_marks (chat_id, user_id, number)
    SELECT chat_id, sender_id, max(number) FROM numbered GROUP BY chat_id, sender_id
    ON CONFLICT (chat_id, user_id) DO UPDATE SET number = greatest(read_marks.number, excluded.number)
), logged AS (
    INSERT INTO events (workspace_id, seq, type, chat_id, message_id, created_at)
    SELECT $1, seq, {MESSAGE_CREATED}, chat_id, id, $3 FROM numbered ORDER BY ordinal
)
SELECT id, number, seq FROM numbered ORDER BY ordinal"""
_LOCK = "SELECT rights_seq FROM workspaces WHERE id = $1 FOR UPDATE"
_KNOWN = """
SELECT g.ordinal FROM unnest($1::bytea[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS g (key, chat_id, sender_id, ordinal)
JOIN message_keys k ON k.idempotency_key = g.key AND k.chat_id = g.chat_id AND k.sender_id = g.sender_id"""


async def store(connection: Link, rows: MessageRows, workspace_id: int, decided_with: int, now: int) -> Stored | None:
    """None when the workspace's rights moved on: decide again. Raises StorageError; nothing is known to be stored then."""
    places = [place for place, owner in enumerate(rows.workspace_ids) if owner == workspace_id]
    try:
        async with connection.statement():
            return await _store_places(connection, rows, places, workspace_id, decided_with, now)
    except UniqueViolation:
        return await _store_carefully(connection, rows, places, workspace_id, decided_with, now)


async def _store_carefully(
    connection: Link, rows: MessageRows, places: list[int], workspace_id: int, decided_with: int, now: int
) -> Stored | None:
    async with connection.transaction(WRITE):
        if await connection.fetchval(_LOCK, workspace_id) != decided_with:
            return None
        known = await connection.fetch(
            _KNOWN,
            [rows.keys[place] for place in places],
            [rows.chat_ids[place] for place in places],
            [rows.sender_ids[place] for place in places],
        )
        repeated = {places[row["ordinal"] - 1] for row in known}
        fresh = [place for place in places if place not in repeated]
        stored = Stored([], [], [], [], [], [], [])
        if fresh:
            stored = await _store_places(connection, rows, fresh, workspace_id, decided_with, now) or stored
        stored.repeats = [rows.rows[place] for place in sorted(repeated)]
        return stored


async def _store_places(
    connection: Link, rows: MessageRows, places: list[int], workspace_id: int, decided_with: int, now: int
) -> Stored | None:
    chat_ids = [rows.chat_ids[place] for place in places]
    answer = await connection.fetch(
        _STORE,
        workspace_id,
        decided_with,
        now,
        len(places),
        chat_ids,
        [rows.sender_ids[place] for place in places],
        [rows.contents[place] for place in places],
        [rows.keys[place] for place in places],
        [rows.fingerprints[place] for place in places],
        _places_in_chat(chat_ids),
    )
    if not answer:
        return None
    return Stored(
        [rows.rows[place] for place in places],
        [row["id"] for row in answer],
        [row["number"] for row in answer],
        [row["seq"] for row in answer],
        [workspace_id] * len(places),
        chat_ids,
        [],
    )


def _places_in_chat(chat_ids: list[int]) -> list[int]:
    """1, 2, 3 … within each chat, in the rows' order."""
    seen: dict[int, int] = {}
    places = []
    for chat_id in chat_ids:
        seen[chat_id] = place = seen.get(chat_id, 0) + 1
        places.append(place)
    return places
