"""The server's own row, which all workspaces share."""

from __future__ import annotations

from typing import Final

from fechatter.storage.engines.base import Transaction

_CLAIM_SETUP = "UPDATE server SET setup_used_at = $1 WHERE id = 1 AND setup_used_at IS NULL"
_IS_SET_UP = "SELECT id FROM server WHERE id = 1 AND setup_used_at IS NOT NULL"

TABLES: Final = (
    *("server", "workspaces", "eras", "users", "sessions", "password_resets", "invitations", "chats", "timelines"),
    *("memberships", "read_marks", "messages", "message_keys", "message_versions", "events", "audit"),
)
# Reads no row, but fails if a table is missing or the role may not read it.
_CHECK = " UNION ALL ".join(f"SELECT 1 FROM {table} WHERE 1 = 0" for table in TABLES)


async def claim_setup(tx: Transaction) -> bool:
    """Use the set-up token. Returns False if it was already used."""
    return await tx.execute(_CLAIM_SETUP, tx.now) == 1


async def check_tables(tx: Transaction) -> None:
    """Check that every table can be read. Raises StorageError."""
    await tx.fetch(_CHECK)


async def is_set_up(tx: Transaction) -> bool:
    """Return whether the set-up token has been used."""
    return await tx.fetchrow(_IS_SET_UP) is not None
