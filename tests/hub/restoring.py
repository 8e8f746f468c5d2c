"""Puts a workspace back to an earlier moment: as a restored backup, or under running nodes that do not know it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import msgspec

from fechatter.model import now_ms
from fechatter.storage import eras
from fechatter.storage.engines.base import Database, Transaction
from fechatter.storage.engines.postgres import PostgresDatabase

_CHATS = "(SELECT id FROM chats WHERE workspace_id = $1)"
# The rows of one workspace in each table, in an order in which they can be inserted.
_ROWS = {
    "workspaces": "id = $1",
    "users": "workspace_id = $1",
    "sessions": "workspace_id = $1",
    "chats": "workspace_id = $1",
    "timelines": f"chat_id IN {_CHATS}",
    "memberships": "workspace_id = $1",
    "read_marks": f"timeline_id IN (SELECT id FROM timelines WHERE chat_id IN {_CHATS})",
    "messages": f"chat_id IN {_CHATS}",
    "message_versions": f"message_id IN (SELECT id FROM messages WHERE chat_id IN {_CHATS})",
    "message_keys": f"chat_id IN {_CHATS}",
    "events": "workspace_id = $1",
    "eras": "workspace_id = $1",
}
_END_SESSIONS = "UPDATE sessions SET revoked_at = $2 WHERE workspace_id = $1 AND revoked_at IS NULL"

Backup = tuple[int, dict[str, list[dict[str, Any]]]]


async def take_backup(database: Database, workspace_id: int) -> Backup:
    """Return all rows of the workspace from one snapshot."""

    async def work(tx: Transaction) -> dict[str, list[dict[str, Any]]]:
        return {
            table: [dict(row) for row in await tx.fetch(f"SELECT * FROM {table} WHERE {rows}", workspace_id)]
            for table, rows in _ROWS.items()
        }

    return workspace_id, await database.read(work)


async def restore(databases: list[Database], backup: Backup) -> None:
    """Replace the rows by the backup's, end the sessions and begin an era on every node."""
    await _put_back(databases[0], backup)
    await databases[0].write_unlocked(lambda tx: tx.execute(_END_SESSIONS, backup[0], now_ms()))
    for database in databases:
        system_id = await database.system_id()
        database.era = await database.write_unlocked(partial(eras.begin, system_id=system_id))
        database._high_water.forget()  # type: ignore[attr-defined]


async def go_back(databases: list[Database], backup: Backup) -> None:
    """Replace the rows by the backup's, as a promoted standby or rolled-back files do under running nodes."""
    await _put_back(databases[0], backup)
    if isinstance(databases[0], PostgresDatabase):
        await databases[0].write_unlocked(lambda tx: tx.execute("UPDATE server SET system_id = system_id || '-before'"))
    for database in databases:
        if isinstance(database, PostgresDatabase):
            life = database._log.life
            assert life is not None
            database._log.life = msgspec.structs.replace(life, started=life.started - timedelta(days=1))


async def _put_back(database: Database, backup: Backup) -> None:
    workspace_id, tables = backup

    async def work(tx: Transaction) -> None:
        for table in reversed(_ROWS):
            await tx.execute(f"DELETE FROM {table} WHERE {_ROWS[table]}", workspace_id)
        for table, rows in tables.items():
            for row in rows:
                places = ", ".join(f"${place}" for place in range(1, len(row) + 1))
                await tx.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", *row.values())

    await database.write_unlocked(work)
