"""Reading the audit log: for those whom the table of rights lets read it."""

from __future__ import annotations

from fechatter.model import Actor
from fechatter.rights.table import WorkspaceAction
from fechatter.rights.workspace import check_role
from fechatter.storage import audit
from fechatter.storage.audit import Entry
from fechatter.storage.engines.base import Transaction


async def page(tx: Transaction, actor: Actor, after: int, limit: int) -> list[Entry]:
    """The workspace's entries, by id, beyond `after`. Raises Forbidden."""
    check_role(actor, WorkspaceAction.READ_AUDIT)
    return await audit.page(tx, actor.workspace_id, after, limit)
