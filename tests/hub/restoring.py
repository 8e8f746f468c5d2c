"""A workspace as it was at an earlier moment, put back in place, with all that a restored backup brings: a new epoch, no sessions."""

from __future__ import annotations

from typing import Any

from fechatter.storage.engines.base import Database, Transaction
from fechatter.storage.opening import begin_epoch, learn_epoch

_CHATS = "(SELECT id FROM chats WHERE workspace_id = $1)"
# Each table's rows of one workspace, in an order in which they may be inserted.
_ROWS = {
    "workspaces": "id = $1",
    "users": "workspace_id = $1",
    "sessions": "workspace_id = $1",
    "chats": "workspace_id = $1",
    "chat_heads": f"chat_id IN {_CHATS}",
    "memberships": "workspace_id = $1",
    "read_marks": f"chat_id IN {_CHATS}",
    "messages": f"chat_id IN {_CHATS}",
    "message_versions": f"message_id IN (SELECT id FROM messages WHERE chat_id IN {_CHATS})",
    "message_keys": f"chat_id IN {_CHATS}",
    "events": "workspace_id = $1",
}

Backup = tuple[int, dict[str, list[dict[str, Any]]]]


async def take_backup(database: Database, workspace_id: int) -> Backup:
    """All rows of the workspace, from one snapshot."""

    async def work(tx: Transaction) -> dict[str, list[dict[str, Any]]]:
        return {
            table: [dict(row) for row in await tx.fetch(f"SELECT * FROM {table} WHERE {rows}", workspace_id)]
            for table, rows in _ROWS.items()
        }

    return workspace_id, await database.read(work)


async def restore(databases: list[Database], backup: Backup, *, new_epoch: bool) -> None:
    """Put them in place of what is there; every node learns the epoch."""
    workspace_id, tables = backup

    async def work(tx: Transaction) -> None:
        for table in reversed(_ROWS):
            await tx.execute(f"DELETE FROM {table} WHERE {_ROWS[table]}", workspace_id)
        for table, rows in tables.items():
            for row in rows:
                places = ", ".join(f"${place}" for place in range(1, len(row) + 1))
                await tx.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", *row.values())

    await databases[0].write(work)
    system_id = await databases[0].system_id()
    if new_epoch:
        await databases[0].write(lambda tx: begin_epoch(tx, system_id, system_id))
    for database in databases:
        database.epoch = await learn_epoch(database)
