"""`fechatter workspaces`: administers workspaces from the command line."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Awaitable, Callable
from functools import partial

from fechatter.accounts import administration, removal
from fechatter.accounts import workspace as changing
from fechatter.cli.administration import (
    PAGE_ROWS,
    administer,
    change,
    new_password_hash,
    show_outcome,
    show_rows,
    system_user,
    typed,
    workspace_of,
)
from fechatter.errors import Forbidden
from fechatter.model import Workspace
from fechatter.settings import Settings
from fechatter.storage import workspaces
from fechatter.storage.engines.base import Database


def run(settings: Settings, options: Namespace) -> int:
    """Run the command and return its exit code. Raises StartError."""
    return administer(settings, options, lambda database: WORK[options.action](database, options))


async def _list(database: Database, options: Namespace) -> None:
    found: list[Workspace] = []
    while True:
        after = found[-1].id if found else 0
        page = await database.read(partial(workspaces.page, after=after, limit=PAGE_ROWS))
        found += page
        if len(page) < PAGE_ROWS:
            break
    show_rows(options, found, lambda workspace: [str(workspace.id), workspace.slug, workspace.name])


async def _create(database: Database, options: Namespace) -> None:
    owner = administration.NewPerson(email=options.email, fullname=options.fullname)
    administration.check_workspace(options.name, owner)
    password_hash = await new_password_hash()
    made = await database.write_unlocked(
        lambda tx: administration.begin_workspace(tx, system_user(), options.name, owner, password_hash),
    )
    show_outcome(options, made, f"Created {made.name} as {made.slug}; its owner is {owner.email}.")


async def _rename(database: Database, options: Namespace) -> None:
    workspace = await workspace_of(database, options.workspace)
    wanted = changing.WorkspaceChange(name=options.name)
    renamed = await change(database, workspace, lambda tx, actor: changing.update(tx, actor, wanted))
    show_outcome(options, renamed, f"The name of {renamed.slug} is now {renamed.name}.")


async def _delete(database: Database, options: Namespace) -> None:
    """Delete a workspace after its name was typed. Raises Forbidden `name_differs`."""
    workspace = await workspace_of(database, options.workspace)
    name = options.yes
    if name is None:
        name = typed(f"All data of {workspace.name!r} will be deleted. Type its name to confirm:")
    if name != workspace.name:
        raise Forbidden(f"The name of the workspace is {workspace.name!r}; nothing was deleted.", code="name_differs")
    await removal.remove(database, administration.command_actor(workspace.id, system_user()), workspace)
    show_outcome(options, workspace, f"Deleted {workspace.slug} and all its data.")


WORK: dict[str, Callable[[Database, Namespace], Awaitable[None]]] = {
    "list": _list,
    "create": _create,
    "rename": _rename,
    "delete": _delete,
}
