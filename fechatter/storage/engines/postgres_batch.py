"""Stores one workspace's part of a batch in PostgreSQL: one statement, one round trip, one commit.

The statement locks the workspace's row first. Every other part of the statement needs that row, so ids, chat numbers
and event numbers are drawn under the lock. The snapshot may be older than the lock, so a key that another node stored
meanwhile causes a unique violation. In that case, and when the workspace enters another era, the batch takes the slow
path: lock, look up, insert.
"""

from __future__ import annotations

import msgspec

from fechatter.storage import eras
from fechatter.storage.engines.batch import Decided, MessageRows, Stored
from fechatter.storage.engines.errors import UniqueViolation
from fechatter.storage.engines.high_water import WentBack
from fechatter.storage.engines.postgres_life import IS_SAME, Life, LifeChanged
from fechatter.storage.engines.postgres_link import Link
from fechatter.storage.engines.postgres_settings import WRITE
from fechatter.storage.event_types import MESSAGE_CREATED

# $1 workspace, $2 rights_seq of the decision, $3 now, $4 count, $5 chats, $6 senders, $7 contents, $8 keys,
# $9 fingerprints, $10 each row's place in its timeline (from 1), $11 era of the decision, $12 highest committed number,
# $13 and $14 the database's life, $15 threads, $16 extras. `unnest` fills empty columns with NULL.
_SAME_LIFE = IS_SAME.format(started="$13", server_table="$14")
_STORE = f"""
WITH locked AS (
    UPDATE workspaces SET event_seq = event_seq + $4
    WHERE id = $1 AND rights_seq = $2 AND era = $11 AND event_seq >= $12
        AND EXISTS (SELECT FROM server WHERE id = 1 AND epoch = $11 AND {_SAME_LIFE})
    RETURNING event_seq
), given AS (
    SELECT *, COALESCE(thread_id, chat_id) AS timeline_id
    FROM unnest($5::bigint[], $6::bigint[], $7::text[], $8::bytea[], $9::bigint[], $10::bigint[], $15::bigint[],
        $16::text[]) WITH ORDINALITY
        AS g (chat_id, sender_id, content, idempotency_key, fingerprint, place, thread_id, extras, ordinal)
), drawn AS MATERIALIZED (
    SELECT nextval('ids') AS id, ordered.* FROM (
        SELECT given.*, locked.event_seq - $4 + given.ordinal AS seq FROM locked, given ORDER BY given.ordinal
    ) AS ordered
), heads AS (
    UPDATE timelines SET last_number = last_number + new.count, last_message_id = new.last_id
    FROM (SELECT timeline_id, count(*) AS count, max(id) AS last_id FROM drawn GROUP BY timeline_id) AS new
    WHERE timelines.id = new.timeline_id
    RETURNING timelines.id AS timeline_id, last_number - new.count AS before
), numbered AS MATERIALIZED (
    SELECT drawn.*, heads.before + drawn.place AS number FROM drawn JOIN heads USING (timeline_id)
), stored AS (
    INSERT INTO messages (id, chat_id, number, sender_id, content, created_at, thread_id, extras)
    SELECT id, chat_id, number, sender_id, content, $3, thread_id, extras FROM numbered ORDER BY ordinal
), keyed AS (
    INSERT INTO message_keys (idempotency_key, chat_id, sender_id, message_id, fingerprint, created_at)
    SELECT idempotency_key, chat_id, sender_id, id, fingerprint, $3 FROM numbered WHERE idempotency_key IS NOT NULL
), marked AS (
    INSERT INTO read_marks (timeline_id, user_id, number)
    SELECT timeline_id, sender_id, max(number) FROM numbered GROUP BY timeline_id, sender_id
    ON CONFLICT (timeline_id, user_id) DO UPDATE SET number = greatest(read_marks.number, excluded.number)
), logged AS (
    INSERT INTO events (workspace_id, seq, type, chat_id, message_id, created_at)
    SELECT $1, seq, {MESSAGE_CREATED}, chat_id, id, $3 FROM numbered ORDER BY ordinal
)
SELECT id, number, seq FROM numbered ORDER BY ordinal"""
_LOCK = "SELECT rights_seq, event_seq, era FROM workspaces WHERE id = $1 FOR UPDATE"
_SERVER = f"SELECT epoch, {IS_SAME.format(started='$1', server_table='$2')} AS is_same FROM server WHERE id = 1"
_KNOWN = """
SELECT g.ordinal
FROM unnest($1::bytea[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS g (key, chat_id, sender_id, ordinal)
JOIN message_keys k ON k.idempotency_key = g.key AND k.chat_id = g.chat_id AND k.sender_id = g.sender_id"""


class BatchConditions(msgspec.Struct, frozen=True):
    """What must still be true when a batch is stored. `committed` is the highest committed event number."""

    decided: Decided
    life: Life
    committed: int


async def store(connection: Link, rows: MessageRows, workspace_id: int, conditions: BatchConditions, now: int) -> Stored | None:
    """Store the rows. Returns None if the rights or the era changed, so that the batch must be decided again.

    Raises:
        LifeChanged, WentBack: nothing was stored.
        StorageError: it is unknown whether the rows were stored.
    """
    places = [place for place, owner in enumerate(rows.workspace_ids) if owner == workspace_id]
    try:
        async with connection.statement():
            stored = await _store_places(connection, rows, places, workspace_id, conditions, now)
    except UniqueViolation:
        stored = None
    return stored or await _store_carefully(connection, rows, places, workspace_id, conditions, now)


async def _may_store(connection: Link, workspace_id: int, conditions: BatchConditions) -> bool:
    """Lock the workspace and enter the current era. Returns False if the rights or the era changed.

    Raises LifeChanged, WentBack.
    """
    locked = await connection.fetch(_LOCK, workspace_id)
    servers = await connection.fetch(_SERVER, conditions.life.started, conditions.life.server_table)
    if not servers or not servers[0]["is_same"]:
        raise LifeChanged("PostgreSQL was restarted or replaced")
    era = servers[0]["epoch"]
    if not locked or Decided(locked[0]["rights_seq"], era) != conditions.decided:
        return False
    if locked[0]["event_seq"] < conditions.committed:
        raise WentBack(workspace_id, locked[0]["event_seq"], era)
    if locked[0]["era"] != era:
        await connection.execute(eras.ENTER, workspace_id, era)
        await connection.execute(eras.RANGE, workspace_id, locked[0]["event_seq"] + 1, era)
    return True


async def _store_carefully(
    connection: Link, rows: MessageRows, places: list[int], workspace_id: int, conditions: BatchConditions, now: int
) -> Stored | None:
    async with connection.transaction(WRITE):
        if not await _may_store(connection, workspace_id, conditions):
            return None
        known = await connection.fetch(
            _KNOWN,
            [rows.keys[place] for place in places],
            [rows.chat_ids[place] for place in places],
            [rows.sender_ids[place] for place in places],
        )
        repeated = {places[row["ordinal"] - 1] for row in known}
        fresh = [place for place in places if place not in repeated]
        stored = Stored(conditions.decided.era, [], [], [], [], [], [], [])
        if fresh:
            stored = await _store_places(connection, rows, fresh, workspace_id, conditions, now) or stored
        stored.repeats = [rows.rows[place] for place in sorted(repeated)]
        return stored


async def _store_places(
    connection: Link, rows: MessageRows, places: list[int], workspace_id: int, conditions: BatchConditions, now: int
) -> Stored | None:
    chat_ids = [rows.chat_ids[place] for place in places]
    timeline_ids = rows.timeline_ids
    answer = await connection.fetch(
        _STORE,
        workspace_id,
        conditions.decided.rights_seq,
        now,
        len(places),
        chat_ids,
        [rows.sender_ids[place] for place in places],
        [rows.contents[place] for place in places],
        [rows.keys[place] for place in places],
        [rows.fingerprints[place] for place in places],
        _places_in_timeline([timeline_ids[place] for place in places]),
        conditions.decided.era,
        conditions.committed,
        conditions.life.started,
        conditions.life.server_table,
        [rows.thread_ids[place] or None for place in places] if rows.thread_ids else [],
        [rows.extras[place] for place in places] if rows.extras else [],
    )
    if not answer:
        return None
    return Stored(
        conditions.decided.era,
        [rows.rows[place] for place in places],
        [row["id"] for row in answer],
        [row["number"] for row in answer],
        [row["seq"] for row in answer],
        [workspace_id] * len(places),
        chat_ids,
        [],
    )


def _places_in_timeline(timeline_ids: list[int]) -> list[int]:
    """Return 1, 2, 3 … within each timeline, in the order of the rows."""
    seen: dict[int, int] = {}
    places = []
    for timeline_id in timeline_ids:
        seen[timeline_id] = place = seen.get(timeline_id, 0) + 1
        places.append(place)
    return places
