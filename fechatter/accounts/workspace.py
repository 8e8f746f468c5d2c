"""Shows and changes the workspace: its name, and the channel that new people join."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from fechatter.accounts import texts
from fechatter.accounts.signup import workspace_name_errors
from fechatter.audit.record import Act, record
from fechatter.chats import default_channel
from fechatter.errors import NotFound
from fechatter.events import EventType, WorkspaceData
from fechatter.model import MAX_ID, Actor, Workspace
from fechatter.rights.table import WorkspaceAction
from fechatter.rights.workspace import check_role
from fechatter.storage import events, workspaces
from fechatter.storage.engines.base import Transaction

ChannelId = Annotated[int, msgspec.Meta(ge=1, le=MAX_ID, examples=[21])]


class WorkspaceChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The changes; fields that are left out stay unchanged."""

    name: Annotated[str, msgspec.Meta(examples=["Analytical Engines"])] | UnsetType = UNSET
    default_chat_id: (
        Annotated[ChannelId | None, msgspec.Meta(description="The public channel that new people join; null for none.")]
        | UnsetType
    ) = UNSET


async def show(tx: Transaction, actor: Actor) -> Workspace:
    """Return the actor's workspace."""
    workspace = await workspaces.find(tx, actor.workspace_id)
    if workspace is None:
        raise NotFound()
    return workspace


async def update(tx: Transaction, actor: Actor, wanted: WorkspaceChange) -> Workspace:
    """Rename the workspace, or choose the channel that new people join. The slug does not change.

    If no value changes, there is no event.

    Raises:
        Forbidden: the actor is not an owner or admin.
        Invalid: the name is not allowed, or there is no such public channel.
    """
    check_role(actor, WorkspaceAction.RENAME_WORKSPACE)
    before = await show(tx, actor)
    after = msgspec.structs.replace(before, **_named(wanted))
    if after.name != before.name:
        texts.refuse(workspace_name_errors("/name", after.name))
        await workspaces.rename(tx, before.id, after.name)
        await record(tx, actor, Act.WORKSPACE_RENAMED, before.id, {"name": before.name}, {"name": after.name})
    if after.default_chat_id != before.default_chat_id:
        await _choose_default_channel(tx, actor, before, after)
    if after != before:
        draft = events.Draft(EventType.WORKSPACE_UPDATED, data=WorkspaceData(after))
        await events.append(tx, before.id, [draft], rights=False)
    return after


def _named(wanted: WorkspaceChange) -> dict[str, object]:
    return {name: value for name, value in msgspec.structs.asdict(wanted).items() if value is not UNSET}


async def _choose_default_channel(tx: Transaction, actor: Actor, before: Workspace, after: Workspace) -> None:
    if after.default_chat_id is not None:
        await default_channel.check_choice(tx, actor, after.default_chat_id)
    await workspaces.set_default_chat(tx, before.id, after.default_chat_id)
    chosen = {"default_chat_id": before.default_chat_id}, {"default_chat_id": after.default_chat_id}
    await record(tx, actor, Act.WORKSPACE_DEFAULT_CHANNEL_CHOSEN, before.id, *chosen)
