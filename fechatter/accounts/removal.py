"""Removes a workspace with everything in it, while the server serves the other workspaces.

First the workspace is closed: everybody is disabled, sessions end, invitations become invalid. Then its rows are
deleted step by step, its own row last. An interrupted removal is continued by calling `remove` again. One entry of the
audit log remains.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from fechatter.accounts import sessions
from fechatter.audit.record import Act, record
from fechatter.model import Actor, Workspace
from fechatter.storage import removal
from fechatter.storage.engines.base import Database, Transaction

Step = Callable[[Transaction], Awaitable[bool]]


async def remove(database: Database, actor: Actor, workspace: Workspace) -> None:
    """Remove the workspace permanently."""
    await _repeat(database, actor, lambda tx: _shut(tx, actor, workspace))
    after: bytes | None = b""
    while after is not None:
        after = await _drop_keys(database, actor, after)
    while chat_ids := await database.read(lambda tx: removal.chat_ids(tx, workspace.id, 0)):
        for chat_id in chat_ids:
            await _repeat(database, actor, partial(removal.drop_from_chat, chat_id=chat_id))
    await _repeat(database, actor, lambda tx: removal.drop_events(tx, workspace.id))
    await _repeat(database, actor, lambda tx: removal.drop_people(tx, workspace.id))
    await database.write(workspace.id, lambda tx: removal.drop_workspace(tx, workspace.id, Act.WORKSPACE_DELETED))


async def _shut(tx: Transaction, actor: Actor, workspace: Workspace) -> bool:
    """Close the workspace and end some sessions; return whether there may be more."""
    await removal.shut(tx, workspace.id)
    ended = await removal.open_sessions(tx, workspace.id)
    await sessions.end(tx, workspace.id, ended)
    if len(ended) == removal.STEP_ROWS:
        return True
    before = {"slug": workspace.slug, "name": workspace.name}
    await record(tx, actor, Act.WORKSPACE_DELETED, workspace.id, before=before)
    return False


async def _drop_keys(database: Database, actor: Actor, after: bytes) -> bytes | None:
    workspace_id = actor.workspace_id
    return await database.write(workspace_id, lambda tx: removal.drop_keys(tx, workspace_id, after))


async def _repeat(database: Database, actor: Actor, step: Step) -> None:
    """Run `step` in a transaction of its own until it returns False."""
    while await database.write(actor.workspace_id, step):
        pass
