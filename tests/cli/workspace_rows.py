"""The database of a command: rows in every table of a workspace, and their counts."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from fechatter.settings import load_settings
from fechatter.storage import opening
from fechatter.storage.engines.base import Database, Transaction


async def open_configured_database() -> Database:
    """Open the database that the environment names."""
    return await opening.open_database(
        load_settings(None, os.environ).database_address, lambda frames, signals: None, connections=2
    )


def read_database(work: Any) -> Any:
    async def asking() -> Any:
        database = await open_configured_database()
        try:
            return await database.read(work)
        finally:
            await database.close()

    return asyncio.run(asking())


def fill(workspace_id: Any) -> None:
    """Insert chats with messages, edits and keys."""

    async def work(tx: Transaction) -> None:
        (row,) = await tx.fetch("SELECT id FROM users WHERE workspace_id = $1", workspace_id)
        for number in range(3):
            chat_id, message_id = await tx.new_id(), await tx.new_id()
            await tx.execute(_CHAT, chat_id, workspace_id, f"chat {number}", row["id"])
            await tx.execute("INSERT INTO timelines (id, chat_id, last_number) VALUES ($1, $1, 1)", chat_id)
            await tx.execute(_MEMBER, chat_id, row["id"], workspace_id)
            await tx.execute(
                "INSERT INTO read_marks (timeline_id, user_id, number) VALUES ($1, $2, 1)", chat_id, row["id"]
            )
            await tx.execute(_MESSAGE, message_id, chat_id, row["id"])
            await tx.execute(_VERSION, message_id)
            await tx.execute(_KEY, b"key", chat_id, row["id"], message_id)

    async def writing() -> None:
        database = await open_configured_database()
        try:
            await database.write_unlocked(work)
        finally:
            await database.close()

    asyncio.run(writing())


_CHAT = """
INSERT INTO chats (id, workspace_id, chat_type, name, name_key, owner_id, creator_id, created_at, updated_at)
VALUES ($1, $2, 'public_channel', $3, $3, $4, $4, 0, 0)"""
_MEMBER = """
INSERT INTO memberships (chat_id, user_id, workspace_id, role, joined_seq, joined_at)
VALUES ($1, $2, $3, 'owner', 1, 0)"""
_MESSAGE = """
INSERT INTO messages (id, chat_id, number, sender_id, content, created_at) VALUES ($1, $2, 1, $3, 'hello', 0)"""
_VERSION = "INSERT INTO message_versions (message_id, until_seq, content, revision) VALUES ($1, 1, 'hullo', 1)"
_KEY = """
INSERT INTO message_keys (idempotency_key, chat_id, sender_id, message_id, fingerprint, created_at)
VALUES ($1, $2, $3, $4, 0, 0)"""
_CHATS = "IN (SELECT id FROM chats WHERE workspace_id = $1)"
_MESSAGES = f"IN (SELECT id FROM messages WHERE chat_id {_CHATS})"
_COUNTED = {
    **dict.fromkeys(("users", "sessions", "invitations", "chats", "memberships", "events"), "workspace_id = $1"),
    "workspaces": "id = $1",
}


def counts(workspace_id: Any) -> dict[str, int]:
    """Count the workspace's rows in each table. Tables without a workspace column include orphaned rows."""

    async def work(tx: Transaction) -> dict[str, int]:
        counts = {}
        for table, where in _COUNTED.items():
            (row,) = await tx.fetch(f"SELECT count(*) AS n FROM {table} WHERE {where}", workspace_id)
            counts[table] = row["n"]
        columns = {
            "timelines": "chat_id",
            "read_marks": "timeline_id",
            "messages": "chat_id",
            "message_keys": "chat_id",
        }
        for table, column in columns.items():
            orphans = f"{column} {_CHATS} OR {column} NOT IN (SELECT id FROM chats)"
            (row,) = await tx.fetch(f"SELECT count(*) AS n FROM {table} WHERE {orphans}", workspace_id)
            counts[table] = row["n"]
        orphans = f"message_id {_MESSAGES} OR message_id NOT IN (SELECT id FROM messages)"
        (row,) = await tx.fetch(f"SELECT count(*) AS n FROM message_versions WHERE {orphans}", workspace_id)
        return {**counts, "message_versions": row["n"]}

    return dict(read_database(work))
