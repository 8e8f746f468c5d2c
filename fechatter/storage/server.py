"""The server's own row: what there is once for all workspaces."""

from __future__ import annotations

from fechatter.storage.engines.base import Transaction

_CLAIM_SETUP = "UPDATE server SET setup_used_at = $1 WHERE id = 1 AND setup_used_at IS NULL"
_IS_SET_UP = "SELECT id FROM server WHERE id = 1 AND setup_used_at IS NOT NULL"

# Reads no row, but fails when a table is missing or may not be read.
_CHECK = """
SELECT 1 FROM server, workspaces, users, sessions, chats, chat_heads, memberships, read_marks, messages, message_keys, events LIMIT 0"""


async def claim_setup(tx: Transaction) -> bool:
    """Use up the set-up token; False when somebody has before."""
    return await tx.execute(_CLAIM_SETUP, tx.now) == 1


async def check_tables(tx: Transaction) -> None:
    """Raises StorageError: the tables that every request needs cannot be read."""
    await tx.fetch(_CHECK)


async def is_set_up(tx: Transaction) -> bool:
    """Whether the set-up token has been used."""
    return await tx.fetchrow(_IS_SET_UP) is not None
