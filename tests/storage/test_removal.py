"""The removal of a workspace leaves no row in any table of the schema, on both engines."""

from __future__ import annotations

from fechatter.accounts import invitations, password_resets, removal
from fechatter.accounts.administration import command_actor
from fechatter.accounts.invitations import NewInvitation
from fechatter.messages import changes
from fechatter.model import Actor, MessageId, Role
from fechatter.storage import server, workspaces
from fechatter.storage.engines.base import Database
from tests import world
from tests.contracts.rows import Sending, by_place, store

_CATALOG = {
    "SQLite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    "PostgreSQL": "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
}
WITHOUT_WORKSPACE = {"schema_migrations", "counters", "server"}
KEPT = {"audit"}

Rows = dict[str, set[str]]


async def tables(database: Database) -> set[str]:
    """The tables of the schema, as the database lists them."""
    return {row[0] for row in await database.read(lambda tx: tx.fetch(_CATALOG[database.engine]))}


async def rows_of(database: Database, names: set[str]) -> Rows:
    """Every row of these tables."""
    found: Rows = {}
    for name in names:
        rows = await database.read(lambda tx, name=name: tx.fetch(f"SELECT * FROM {name}"))  # type: ignore[misc]
        found[name] = {
            repr([bytes(value) if isinstance(value, memoryview) else value for value in row]) for row in rows
        }
    return found


async def workspace_with_everything(database: Database) -> Actor:
    """A workspace with at least one row in each table that belongs to workspaces; returns its owner."""
    workspace_id = await world.workspace(database)
    owner = await world.person(database, workspace_id, "owner", Role.OWNER)
    member = await world.person(database, workspace_id, "member")
    chat_id = await world.chat(database, owner, member)
    thread_id = await world.thread(database, chat_id)
    sendings = [Sending(owner, chat_id, key="key"), Sending(member, chat_id, "a reply", thread_id=thread_id)]
    stored = by_place(await store(database, sendings))
    await world.do(database, changes.edit, owner, chat_id, MessageId(stored[0][0]), "edited")
    await world.do(database, invitations.create, owner, NewInvitation())
    await world.do(database, password_resets.create, owner, member.user_id)
    return owner


async def test_the_server_checks_every_table_of_the_schema(database: Database) -> None:
    assert set(server.TABLES) == await tables(database) - (WITHOUT_WORKSPACE - {"server"})


async def test_removing_a_workspace_leaves_no_row_in_any_table(database: Database) -> None:
    await workspace_with_everything(database)
    names = await tables(database) - WITHOUT_WORKSPACE
    before = await rows_of(database, names)
    owner = await workspace_with_everything(database)
    filled = await rows_of(database, names)
    assert {name for name in names if filled[name] <= before[name]} == set(), "add a row to workspace_with_everything"
    workspace = await database.read(lambda tx: workspaces.find(tx, owner.workspace_id))
    assert workspace is not None
    await removal.remove(database, command_actor(owner.workspace_id, "root"), workspace)
    after = await rows_of(database, names)
    left = {name: after[name] - before[name] for name in names}
    assert {name for name in names if left[name]} == KEPT, "add the table to fechatter/storage/removal.py"
    assert len(left["audit"]) == 1
    assert all(before[name] <= after[name] for name in names), "rows of another workspace were deleted"
