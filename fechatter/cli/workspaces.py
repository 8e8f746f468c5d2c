"""`fechatter workspaces`: workspaces, administered from the command line."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Awaitable, Callable

from fechatter.accounts import administration, removal
from fechatter.accounts import workspace as rooms
from fechatter.cli.administration import (
    PAGE_ROWS,
    administer,
    change,
    new_password_hash,
    system_user,
    tell,
    tell_rows,
    typed,
    workspace_of,
)
from fechatter.errors import Forbidden
from fechatter.model import Workspace
from fechatter.settings import Settings
from fechatter.storage import workspaces
from fechatter.storage.engines.base import Database


def run(settings: Settings, options: Namespace) -> int:
    """Returns the exit code. Raises StartError."""
    return administer(settings, options, lambda database: WORK[options.action](database, options))


async def _list(database: Database, options: Namespace) -> None:
    found: list[Workspace] = []
    while True:
        after = found[-1].id if found else 0
        page = await database.read(lambda tx, after=after: workspaces.page(tx, after, PAGE_ROWS))  # type: ignore[misc]
        found += page
        if len(page) < PAGE_ROWS:
            break
    tell_rows(options, found, lambda workspace: [str(workspace.id), workspace.slug, workspace.name])


async def _create(database: Database, options: Namespace) -> None:
    owner = administration.NewPerson(email=options.email, fullname=options.fullname)
    administration.check_workspace(options.name, owner)
    password_hash = await new_password_hash()
    made = await database.write_unlocked(
        lambda tx: administration.begin_workspace(tx, system_user(), options.name, owner, password_hash),
    )
    tell(options, made, f"{made.name} is there, as {made.slug}; its owner is {owner.email}.")


async def _rename(database: Database, options: Namespace) -> None:
    workspace = await workspace_of(database, options.workspace)
    wanted = rooms.WorkspaceChange(name=options.name)
    renamed = await change(database, workspace, lambda tx, actor: rooms.update(tx, actor, wanted))
    tell(options, renamed, f"{renamed.slug} is called {renamed.name}.")


async def _delete(database: Database, options: Namespace) -> None:
    """Raises Forbidden `name_differs`."""
    workspace = await workspace_of(database, options.workspace)
    name = options.yes
    if name is None:
        name = typed(f"Everything in {workspace.name!r} will be lost. Type its name to delete it:")
    if name != workspace.name:
        raise Forbidden(f"The workspace is called {workspace.name!r}; nothing was deleted.", code="name_differs")
    await removal.remove(database, administration.commanding(workspace.id, system_user()), workspace)
    tell(options, workspace, f"{workspace.slug} is deleted, with everything in it.")


WORK: dict[str, Callable[[Database, Namespace], Awaitable[None]]] = {
    "list": _list,
    "create": _create,
    "rename": _rename,
    "delete": _delete,
}
