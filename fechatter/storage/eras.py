"""Eras of the event log. A cursor names the era of its number, so a cursor of a log that went back is detected.

Each start of a server and each change of the database's identity begins an era. Its name is random, because a counter
would go back with the data and repeat. `server.epoch` is the current era. A workspace enters it with the first number
that is written in it. `eras` has one row per range of numbers, and `workspaces.era` is the era of the last range.

The first half of an era's name is its life. A start keeps the life. A change of identity, or a head that went back,
begins another life.
"""

from __future__ import annotations

import secrets

from fechatter.model import LIFE_CHARACTERS, WorkspaceId, life_of
from fechatter.storage.engines.base import Transaction
from fechatter.storage.engines.errors import StorageUnavailable

_FIRST = "INSERT INTO server (id, epoch, system_id, created_at) VALUES (1, $1, $2, $3) ON CONFLICT DO NOTHING"
# The update locks the row, so that nodes that notice the same change begin one era together.
_LOCKED = "UPDATE server SET system_id = system_id WHERE id = 1 RETURNING epoch, system_id"
_CURRENT = "SELECT epoch FROM server WHERE id = 1"
_BEGIN = "UPDATE server SET epoch = $1, system_id = $2 WHERE id = 1"
_BEGIN_AFTER = "UPDATE server SET epoch = $1 WHERE id = 1 AND epoch = $2"
_END_SESSIONS = "UPDATE sessions SET revoked_at = $1 WHERE revoked_at IS NULL"
# A link that is unused in an older copy of the database may have been used since.
_END_RESETS = "UPDATE password_resets SET revoked_at = $1 WHERE revoked_at IS NULL AND used_at IS NULL"
ENTER = "UPDATE workspaces SET era = $2 WHERE id = $1"
# A range without numbers is replaced. The first range includes 0, the position before every event.
RANGE = """
INSERT INTO eras (workspace_id, first_seq, era) VALUES ($1, CASE WHEN $2 = 1 THEN 0 ELSE $2 END, $3)
ON CONFLICT (workspace_id, first_seq) DO UPDATE SET era = excluded.era"""
_PRUNE = """
DELETE FROM eras WHERE workspace_id = $1 AND first_seq < (
    SELECT MAX(first_seq) FROM eras WHERE workspace_id = $1 AND first_seq <= $2)"""


def era_at(workspace_id: str, seq: str) -> str:
    """Return SQL for the era of a number, given SQL for the workspace's id and the number.

    The era is NULL below the oldest range.
    """
    return f"""(SELECT x.era FROM eras x WHERE x.workspace_id = {workspace_id} AND x.first_seq <= {seq}
        ORDER BY x.first_seq DESC LIMIT 1)"""


OF_HEAD = f"coalesce({era_at('w.id', 'w.event_seq')}, v.epoch)"
"""SQL for the era of a workspace's head, given the tables `workspaces w` and `server v`."""

HALF_BYTES = LIFE_CHARACTERS // 2
_AT = f"SELECT {era_at('$1', '$2')} AS era"


def new_era(life: str = "") -> str:
    """Return the name of a new era of `life`, or of a new life if `life` is empty."""
    return (life or secrets.token_hex(HALF_BYTES)) + secrets.token_hex(HALF_BYTES)


async def at(tx: Transaction, workspace_id: WorkspaceId, seq: int) -> str | None:
    """Return the era of the number `seq`, or of the newest range if `seq` is above the head.

    None means that the log does not reach back that far.
    """
    row = await tx.fetchrow(_AT, workspace_id, seq)
    return None if row is None else row["era"]


async def current(tx: Transaction) -> str:
    """Return the current era; "" if none has begun yet."""
    row = await tx.fetchrow(_CURRENT)
    return "" if row is None else str(row["epoch"])


async def begin(tx: Transaction, system_id: str) -> str:
    """Begin an era; each start of a server does so. Returns the era's name."""
    await tx.execute(_FIRST, new_era(), system_id, tx.now)
    era, known = await _current(tx)
    return await _begin(tx, system_id, known, life_of(era) if known == system_id else "")


async def recognise(tx: Transaction, system_id: str) -> str:
    """Begin an era unless another node already recognised this `system_id`; returns the current era."""
    era, known = await _current(tx)
    return era if known == system_id else await _begin(tx, system_id, known)


async def begin_after(tx: Transaction, era: str) -> str:
    """Begin an era of another life if `era` is still the current one; returns the current era."""
    if await tx.execute(_BEGIN_AFTER, new_era(), era):
        await tx.execute(_END_RESETS, tx.now)
    return (await _current(tx))[0]


async def _current(tx: Transaction) -> tuple[str, str]:
    """Lock the server's row; returns the current era and the system id on which it began."""
    row = await tx.fetchrow(_LOCKED)
    if row is None:
        raise StorageUnavailable("the table `server` is empty; the database may be only partly restored")
    return str(row["epoch"]), str(row["system_id"])


async def _begin(tx: Transaction, system_id: str, known: str, life: str = "") -> str:
    era = new_era(life)
    await tx.execute(_BEGIN, era, system_id)
    if not life:
        await tx.execute(_END_RESETS, tx.now)
    # Another PostgreSQL cluster means a restored copy. A failover or a restart keeps the cluster's identifier, and
    # so the sessions.
    if system_id.partition("/")[0] != known.partition("/")[0]:
        await tx.execute(_END_SESSIONS, tx.now)
    return era


async def enter(tx: Transaction, workspace_id: int, first_seq: int, era: str) -> None:
    """Record that the workspace's numbers from `first_seq` on belong to `era`."""
    await tx.execute(ENTER, workspace_id, era)
    await tx.execute(RANGE, workspace_id, first_seq, era)


async def prune(tx: Transaction, workspace_id: WorkspaceId, floor: int) -> None:
    """Delete the ranges that end before `floor`; the range of `floor` stays."""
    await tx.execute(_PRUNE, workspace_id, floor)
