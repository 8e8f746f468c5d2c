"""Reads the audit log, for people who have the right to read it."""

from __future__ import annotations

from fechatter.model import Actor
from fechatter.rights.table import WorkspaceAction
from fechatter.rights.workspace import check_role
from fechatter.storage import audit
from fechatter.storage.audit import Entry
from fechatter.storage.engines.base import Transaction


async def page(tx: Transaction, actor: Actor, after: int, limit: int) -> list[Entry]:
    """Return up to `limit` entries of the workspace, ordered by id, with ids above `after`. Raises Forbidden."""
    check_role(actor, WorkspaceAction.READ_AUDIT)
    return await audit.page(tx, actor.workspace_id, after, limit)
