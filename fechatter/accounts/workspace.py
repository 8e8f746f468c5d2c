"""The workspace itself."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from fechatter.accounts import texts
from fechatter.accounts.signup import workspace_name_errors
from fechatter.audit.record import Act, record
from fechatter.errors import NotFound
from fechatter.model import Actor, EventType, Workspace
from fechatter.rights.table import WorkspaceAction
from fechatter.rights.workspace import check_role
from fechatter.storage import events, workspaces
from fechatter.storage.engines.base import Transaction


class WorkspaceChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be different; what is not named stays."""

    name: Annotated[str, msgspec.Meta(examples=["Analytical Engines"])] | UnsetType = UNSET


async def show(tx: Transaction, actor: Actor) -> Workspace:
    """The actor's workspace."""
    workspace = await workspaces.find(tx, actor.workspace_id)
    if workspace is None:
        raise NotFound()
    return workspace


async def update(tx: Transaction, actor: Actor, wanted: WorkspaceChange) -> Workspace:
    """Rename the workspace; its slug stays. Raises Forbidden, Invalid."""
    check_role(actor, WorkspaceAction.RENAME_WORKSPACE)
    workspace = await show(tx, actor)
    if wanted.name is UNSET or wanted.name == workspace.name:
        return workspace
    texts.refuse(workspace_name_errors("/name", wanted.name))
    await workspaces.rename(tx, actor.workspace_id, wanted.name)
    await record(tx, actor, Act.WORKSPACE_RENAMED, workspace.id, {"name": workspace.name}, {"name": wanted.name})
    renamed = msgspec.structs.replace(workspace, name=wanted.name)
    draft = events.Draft(EventType.WORKSPACE_UPDATED, data={"workspace": renamed})
    await events.append(tx, actor.workspace_id, [draft], rights=False)
    return renamed
