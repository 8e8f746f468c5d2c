"""Rows of workspaces."""

from __future__ import annotations

import msgspec

from fechatter.model import ChatId, Workspace, WorkspaceId, timestamp
from fechatter.storage.engines.base import Row, Transaction

SLUG_BEGINNING = 48
"""The minimum length to which a slug is shortened to make room for a number."""

_COLUMNS = "SELECT id, slug, name, created_at, default_chat_id FROM workspaces"
_FIND = f"{_COLUMNS} WHERE id = $1"
_BY_SLUG = f"{_COLUMNS} WHERE slug = $1"
_BEGINNING_WITH = f"{_COLUMNS} WHERE slug LIKE $1 ESCAPE '!'"
_PAGE = f"{_COLUMNS} WHERE id > $1 ORDER BY id LIMIT $2"
_INSERT = "INSERT INTO workspaces (id, slug, name, created_at) VALUES ($1, $2, $3, $4)"
_RENAME = "UPDATE workspaces SET name = $2 WHERE id = $1"
_SET_DEFAULT_CHAT = "UPDATE workspaces SET default_chat_id = $2 WHERE id = $1"


class WorkspaceName(msgspec.Struct, frozen=True):
    """A workspace in a list to choose from."""

    slug: str
    name: str


async def insert(tx: Transaction, slug: str, name: str) -> Workspace:
    """Store a new workspace. Raises UniqueViolation: the slug is taken."""
    workspace_id = WorkspaceId(await tx.new_id())
    await tx.execute(_INSERT, workspace_id, slug, name, tx.now)
    return Workspace(workspace_id, slug, name, timestamp(tx.now))


async def find(tx: Transaction, workspace_id: WorkspaceId) -> Workspace | None:
    """Return the workspace, or None."""
    return _workspace(await tx.fetchrow(_FIND, workspace_id))


async def by_slug(tx: Transaction, slug: str) -> Workspace | None:
    """Return the workspace with this slug, or None."""
    return _workspace(await tx.fetchrow(_BY_SLUG, slug))


async def with_slug_of(tx: Transaction, base: str) -> list[Workspace]:
    """Return the workspaces whose slug begins like `base`. They include every slug that is `base` with a number."""
    beginning = base[:SLUG_BEGINNING].replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return [_known(row) for row in await tx.fetch(_BEGINNING_WITH, f"{beginning}%")]


async def page(tx: Transaction, after: int, limit: int) -> list[Workspace]:
    """Return the server's workspaces after the id `after`, by id."""
    return [_known(row) for row in await tx.fetch(_PAGE, after, limit)]


async def rename(tx: Transaction, workspace_id: WorkspaceId, name: str) -> None:
    """Change the name. The slug stays, because people sign in with it."""
    await tx.execute(_RENAME, workspace_id, name)


async def set_default_chat(tx: Transaction, workspace_id: WorkspaceId, chat_id: ChatId | None) -> None:
    """Set the channel that new people join; None for no channel."""
    await tx.execute(_SET_DEFAULT_CHAT, workspace_id, chat_id)


def _workspace(row: Row | None) -> Workspace | None:
    return None if row is None else _known(row)


def _known(row: Row) -> Workspace:
    return Workspace(
        WorkspaceId(row["id"]), row["slug"], row["name"], timestamp(row["created_at"]), row["default_chat_id"]
    )
