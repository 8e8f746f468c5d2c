"""Stores one workspace's part of a batch in PostgreSQL: one statement, one round trip, one commit.

The statement locks the workspace's row first. Every other part of the statement needs that row, so ids, chat numbers
and event numbers are drawn under the lock. The snapshot may be older than the lock, so a key that another node stored
meanwhile causes a unique violation. In that case, and when the workspace enters another era, the batch takes the slow
path: lock, look up, insert.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import msgspec

from fechatter.errors import StorageError
from fechatter.storage import eras
from fechatter.storage.engines.base import Choose
from fechatter.storage.engines.batch import Decided, MessageRows, Stored, StoreResult, nothing_stored
from fechatter.storage.engines.errors import StorageUnavailable, UniqueViolation
from fechatter.storage.engines.high_water import WentBack
from fechatter.storage.engines.postgres_life import IS_SAME, Life, LifeChanged
from fechatter.storage.engines.postgres_link import Connector, Link
from fechatter.storage.engines.postgres_log import KnownLog
from fechatter.storage.engines.postgres_settings import WRITE
from fechatter.storage.engines.postgres_transaction import PostgresTransaction
from fechatter.storage.engines.retrying import retried
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
_RIGHTS = "SELECT rights_seq FROM workspaces WHERE id = $1"
_KNOWN = """
SELECT g.ordinal
FROM unnest($1::bytea[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS g (key, chat_id, sender_id, ordinal)
JOIN message_keys k ON k.idempotency_key = g.key AND k.chat_id = g.chat_id AND k.sender_id = g.sender_id"""


BATCH_SETTINGS = {"lock_timeout": "2000"}
"""Milliseconds. The messages of other workspaces wait while a batch waits for one workspace's lock."""


class BatchConditions(msgspec.Struct, frozen=True):
    """The conditions for storing one workspace's part of a batch.

    Attributes:
        life: the identity that the database must still have.
        committed: the highest event number that this process committed; the log must not end below it.
    """

    workspace_id: int
    life: Life
    committed: int


StorePart = Callable[[Link, BatchConditions], Awaitable[Stored | None]]
"""Stores one workspace's part of a batch."""


class PostgresBatches:
    """See `engines.base.Batches`. It has a connection of its own, on the writer's loop."""

    def __init__(self, connector: Connector, known: KnownLog) -> None:
        self._connector = connector
        self._log = known
        self._link: Link | None = None

    async def connection(self) -> Link:
        """Return the connection, reopened if it was lost."""
        if self._link is None or self._link.closed:
            self._link = await self._connector.link(BATCH_SETTINGS)
        return self._link

    async def close(self) -> None:
        if self._link is not None:
            await self._link.close()

    async def store(self, rows: MessageRows, decided_with: Mapping[int, Decided], now: int) -> StoreResult:
        """Store the batch with one statement per workspace, in the order of the workspaces' ids."""
        result = StoreResult([], set(), {})
        for workspace_id in sorted(set(rows.workspace_ids)):
            await self._store_in(workspace_id, partial(_store, rows, decided_with[workspace_id], now), result)
        return result

    async def store_locked(self, workspace_id: int, choose: Choose, now: int) -> StoreResult:
        result = StoreResult([], set(), {})
        await self._store_in(workspace_id, partial(_store_locked, choose, now), result)
        return result

    async def _store_in(self, workspace_id: int, store: StorePart, result: StoreResult) -> None:
        """Store a workspace's part of a batch, and add the outcome to the result."""
        try:
            stored = await retried(lambda: self._store_once(workspace_id, store))
        except StorageError as error:
            result.failed[workspace_id] = error
            return
        if stored is None:
            result.stale.add(workspace_id)
        else:
            result.stored.append(stored)

    async def _store_once(self, workspace_id: int, store: StorePart) -> Stored | None:
        connection, known = await self.connection(), self._log
        if known.life is None:
            raise StorageUnavailable("the database was not identified yet")
        conditions = BatchConditions(workspace_id, known.life, known.high_water.of(workspace_id))
        try:
            stored = await store(connection, conditions)
        except LifeChanged:
            await known.recognise(connection)
            return None
        except WentBack as error:
            await known.begin_after(connection, error)
            return None
        if stored is not None and stored.sequences:
            known.high_water.rise({workspace_id: stored.sequences[-1]})
        return stored


async def _store(
    rows: MessageRows, decided: Decided, now: int, connection: Link, conditions: BatchConditions
) -> Stored | None:
    """Store the workspace's rows; returns None if its rights or the era changed, so that they must be decided again.

    Raises:
        LifeChanged, WentBack: nothing was stored.
        StorageError: it is unknown whether the rows were stored.
    """
    own = rows.some([place for place, owner in enumerate(rows.workspace_ids) if owner == conditions.workspace_id])
    try:
        async with connection.statement():
            if stored := await _store_rows(connection, own, conditions, decided, now):
                return stored
            # A batch whose rights changed leaves the lock to others.
            if await connection.fetchval(_RIGHTS, conditions.workspace_id) != decided.rights_seq:
                return None
    except UniqueViolation:
        pass
    return await _store_locked(lambda _: _chosen(own, decided), now, connection, conditions)


async def _chosen(rows: MessageRows, decided: Decided) -> tuple[MessageRows, Decided]:
    return rows, decided


async def _store_locked(choose: Choose, now: int, connection: Link, conditions: BatchConditions) -> Stored | None:
    """Lock the workspace, let `choose` decide on the rows, and store them. Returns None and raises like `_store`."""
    async with connection.transaction(WRITE):
        current = await _lock(connection, conditions)
        rows, decided = await choose(PostgresTransaction(connection))
        if not rows.rows:
            return nothing_stored(current.era)
        return await _store_new(connection, rows, conditions, current, now) if decided == current else None


async def _lock(connection: Link, conditions: BatchConditions) -> Decided:
    """Lock the workspace, and enter the current era. Returns its rights and the era. Raises LifeChanged, WentBack."""
    workspaces = await connection.fetch(_LOCK, conditions.workspace_id)
    servers = await connection.fetch(_SERVER, conditions.life.started, conditions.life.server_table)
    if not servers or not servers[0]["is_same"]:
        raise LifeChanged("PostgreSQL was restarted or replaced")
    era = servers[0]["epoch"]
    if not workspaces:
        return Decided(0, "")
    if workspaces[0]["event_seq"] < conditions.committed:
        raise WentBack(conditions.workspace_id, workspaces[0]["event_seq"], era)
    if workspaces[0]["era"] != era:
        await connection.execute(eras.ENTER, conditions.workspace_id, era)
        await connection.execute(eras.RANGE, conditions.workspace_id, workspaces[0]["event_seq"] + 1, era)
    return Decided(workspaces[0]["rights_seq"], era)


async def _store_new(
    connection: Link, rows: MessageRows, conditions: BatchConditions, decided: Decided, now: int
) -> Stored:
    """Store the rows whose keys are not stored yet, under the lock of the workspace."""
    known = await connection.fetch(_KNOWN, rows.keys, rows.chat_ids, rows.sender_ids)
    repeated = {row["ordinal"] - 1 for row in known}
    fresh = rows.some([place for place in range(len(rows.rows)) if place not in repeated])
    stored = await _store_rows(connection, fresh, conditions, decided, now) if fresh.rows else None
    stored = stored or nothing_stored(decided.era)
    stored.repeats = [rows.rows[place] for place in sorted(repeated)]
    return stored


async def _store_rows(
    connection: Link, rows: MessageRows, conditions: BatchConditions, decided: Decided, now: int
) -> Stored | None:
    """Run the statement; returns None if one of its conditions is not met."""
    answer = await connection.fetch(
        _STORE,
        conditions.workspace_id,
        decided.rights_seq,
        now,
        len(rows.rows),
        rows.chat_ids,
        rows.sender_ids,
        rows.contents,
        rows.keys,
        rows.fingerprints,
        _places_in_timeline(rows.timeline_ids),
        decided.era,
        conditions.committed,
        conditions.life.started,
        conditions.life.server_table,
        [thread_id or None for thread_id in rows.thread_ids],
        rows.extras,
    )
    if not answer:
        return None
    return Stored(
        decided.era,
        rows.rows,
        [row["id"] for row in answer],
        [row["number"] for row in answer],
        [row["seq"] for row in answer],
        rows.workspace_ids,
        rows.chat_ids,
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
