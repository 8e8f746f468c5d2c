"""Recomputes the unique keys of people and channels once after the rules for keys have changed.

SQL supports neither IDNA nor Unicode properties, so this is not a migration; it runs when the database is opened. If
another row of the workspace already has the new key of a row, the row keeps its old key. Nothing is merged or lost;
`fechatter doctor` lists such rows.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import Final

import msgspec

from fechatter.canonical.emails import canonical_email, email_key
from fechatter.canonical.names import key_of
from fechatter.model import WorkspaceId
from fechatter.storage.engines.base import Database, Row, Transaction
from fechatter.storage.upkeep import workspace_ids

log = logging.getLogger(__name__)

KEPT: Final = "%s of workspace %d keep an older key, because another row has the new key: %s"

VERSION: Final = 1
"""The version of the rules for keys."""

_MIGRATED = "SELECT version FROM schema_migrations WHERE version = '0005'"
_VERSION = "SELECT keys_version FROM server WHERE id = 1"
_DONE = "UPDATE server SET keys_version = $1 WHERE id = 1"
_PEOPLE = """
SELECT id, email, email_key, fullname, fullname_key, handle, handle_key FROM users
WHERE workspace_id = $1 ORDER BY id"""
_CHATS = """
SELECT id, chat_type, name, name_key FROM chats
WHERE workspace_id = $1 AND name IS NOT NULL AND deleted_at IS NULL ORDER BY id"""
_SET_EMAIL = "UPDATE users SET email = $2, email_key = $3 WHERE id = $1"
_SET_FULLNAME = "UPDATE users SET fullname_key = $2 WHERE id = $1"
_SET_HANDLE = "UPDATE users SET handle_key = $2 WHERE id = $1"
_SET_CHAT_NAME = "UPDATE chats SET name_key = $2 WHERE id = $1"


class Keyed(msgspec.Struct, frozen=True):
    """A row with its stored key, and its key under the current rules (`wanted`)."""

    id: int
    key: str
    wanted: str


class Kept(msgspec.Struct, frozen=True):
    """Rows that keep an older key, because another row has the new key or because their name is invisible."""

    kind: str
    ids: list[int]


async def rekey(database: Database) -> None:
    """Recompute all keys, unless they already follow the current rules."""
    if not await database.read(_is_due):
        return
    for workspace_id in await database.read(workspace_ids):
        for kept in await database.write(workspace_id, partial(_rekey, workspace_id=workspace_id)):
            log.warning(KEPT, kept.kind, workspace_id, kept.ids)
    await database.write_unlocked(lambda tx: tx.execute(_DONE, VERSION))


async def _is_due(tx: Transaction) -> bool:
    if await tx.fetchrow(_MIGRATED) is None:
        return False  # tables of an earlier version keep the keys of that version
    row = await tx.fetchrow(_VERSION)
    return row is not None and row["keys_version"] < VERSION


async def kept(tx: Transaction) -> list[Kept]:
    """Return the rows that keep an older key, in all workspaces."""
    found = [each for workspace_id in await workspace_ids(tx) for each in await _kept_in(tx, workspace_id)]
    kinds = dict.fromkeys(each.kind for each in found)
    return [Kept(kind, sorted(row_id for each in found if each.kind == kind for row_id in each.ids)) for kind in kinds]


async def _rekey(tx: Transaction, workspace_id: WorkspaceId) -> list[Kept]:
    people = await tx.fetch(_PEOPLE, workspace_id)
    emails = {row["id"]: row["email"] for row in people}
    for row_id, key in changes(_emails(people)):
        await tx.execute(_SET_EMAIL, row_id, canonical_email(emails[row_id]) or emails[row_id], key)
    for row_id, key in changes(_handles(people)):
        await tx.execute(_SET_HANDLE, row_id, key)
    for row in people:
        if key_of(row["fullname"]) != row["fullname_key"]:
            await tx.execute(_SET_FULLNAME, row["id"], key_of(row["fullname"]))
    chats = await tx.fetch(_CHATS, workspace_id)
    for row_id, key in changes(_channels(chats)):
        await tx.execute(_SET_CHAT_NAME, row_id, key)
    for row in chats:
        if row["chat_type"] != "public_channel" and key_of(row["name"]) not in ("", row["name_key"]):
            await tx.execute(_SET_CHAT_NAME, row["id"], key_of(row["name"]))
    return await _kept_in(tx, workspace_id)


async def _kept_in(tx: Transaction, workspace_id: WorkspaceId) -> list[Kept]:
    people, chats = await tx.fetch(_PEOPLE, workspace_id), await tx.fetch(_CHATS, workspace_id)
    kinds = {"e-mail addresses": _emails(people), "handles": _handles(people), "channels": _channels(chats)}
    found = {kind: [row.id for row in rows if row.key != row.wanted] for kind, rows in kinds.items()}
    return [Kept(kind, ids) for kind, ids in found.items() if ids]


def _emails(people: Sequence[Row]) -> list[Keyed]:
    return [Keyed(row["id"], row["email_key"], email_key(row["email"])) for row in people]


def _handles(people: Sequence[Row]) -> list[Keyed]:
    return [Keyed(row["id"], row["handle_key"], key_of(row["handle"])) for row in people]


def _channels(chats: Sequence[Row]) -> list[Keyed]:
    """Only names of public channels must be unique."""
    return [
        Keyed(row["id"], row["name_key"], key_of(row["name"])) for row in chats if row["chat_type"] == "public_channel"
    ]


def changes(rows: Sequence[Keyed]) -> list[tuple[int, str]]:
    """Return ids and new keys in an order in which no two rows ever have the same key.

    Rows that cannot change are left out.
    """
    holders = {row.key for row in rows}
    waiting = [row for row in rows if row.key != row.wanted]
    made: list[tuple[int, str]] = []
    while free := next((row for row in waiting if row.wanted and row.wanted not in holders), None):
        waiting.remove(free)
        holders.remove(free.key)
        holders.add(free.wanted)
        made.append((free.id, free.wanted))
    return made
