"""The removal of a workspace can be interrupted and repeated, and nothing is stored in a removed workspace."""

from __future__ import annotations

from functools import partial
from typing import Any

from fechatter.accounts import removal
from fechatter.accounts.administration import command_actor
from fechatter.model import ChatId, Workspace, WorkspaceId
from fechatter.storage import audit, workspaces
from fechatter.storage.engines.base import Database, Transaction
from fechatter.storage.engines.errors import StorageUnavailable
from tests import world
from tests.contracts.rows import Sending, decided_now, store

_LEFT = "SELECT count(*) AS n FROM messages WHERE chat_id = $1"


class FailingDatabase:
    """A database that fails from its `left`-th write on."""

    def __init__(self, database: Database, left: int) -> None:
        self._database = database
        self._left = left

    async def read(self, work: Any) -> Any:
        return await self._database.read(work)

    async def write(self, workspace_id: int, work: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            raise StorageUnavailable("the machine went away")
        return await self._database.write(workspace_id, work)


async def find_workspace(database: Database, workspace_id: WorkspaceId) -> Workspace | None:
    return await database.read(lambda tx: workspaces.find(tx, workspace_id))


async def _count_left(tx: Transaction, chat_id: ChatId) -> int:
    [row] = await tx.fetch(_LEFT, chat_id)
    return int(row["n"])


async def test_an_interrupted_removal_can_be_repeated(database: Database) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    kept, _ = await world.people(database, "carol", "dave")
    chat_id, other = await world.chat(database, alice, bob), await world.chat(database, kept)
    await store(database, [Sending(alice, chat_id, key="key"), Sending(kept, other)])
    actor = command_actor(alice.workspace_id, "root")
    attempts = 0
    while (workspace := await find_workspace(database, alice.workspace_id)) is not None:
        attempts += 1
        try:
            # The removal only reads and writes.
            await removal.remove(FailingDatabase(database, attempts), actor, workspace)  # type: ignore[arg-type]
        except StorageUnavailable:
            continue
    assert attempts > 3
    counts = [await database.read(partial(_count_left, chat_id=chat)) for chat in (chat_id, other)]
    assert counts == [0, 1]
    assert {entry.action for entry in await database.read(lambda tx: audit.page(tx, alice.workspace_id, 0, 100))} == {
        "workspace.deleted"
    }
    assert await find_workspace(database, kept.workspace_id) is not None


async def test_a_message_decided_before_the_removal_is_not_stored_after_it(database: Database) -> None:
    alice, bob = await world.people(database, "alice", "bob")
    chat_id = await world.chat(database, alice, bob)
    batch = [Sending(alice, chat_id)]
    decided = await decided_now(database, batch)
    workspace = await find_workspace(database, alice.workspace_id)
    assert workspace is not None
    await removal.remove(database, command_actor(workspace.id, "root"), workspace)
    result = await store(database, batch, decided)
    assert (result.stored, result.stale, result.failed) == ([], {workspace.id}, {})
