"""The contract of both engines for transactions and snapshots."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

import pytest

from fechatter.events import EventType
from fechatter.model import WorkspaceId
from fechatter.storage import events
from fechatter.storage.engines.base import Database, Transaction
from fechatter.storage.engines.errors import UniqueViolation
from fechatter.storage.opening import open_database
from tests import world
from tests.engines import Published
from tests.servers.process import PATIENCE_SECONDS

_RENAME = "UPDATE workspaces SET name = $2 WHERE id = $1"
_NAME = "SELECT name FROM workspaces WHERE id = $1"


async def rename(tx: Transaction, workspace_id: WorkspaceId, name: str) -> int:
    """Rename a workspace with an event and return the event's number."""
    await tx.execute(_RENAME, workspace_id, name)
    draft = events.Draft(EventType.WORKSPACE_UPDATED, data=await world.workspace_data(tx, workspace_id))
    return await events.append(tx, workspace_id, [draft], rights=False)


async def name_of(database: Database, workspace_id: WorkspaceId) -> str:
    row = await database.read(lambda tx: tx.fetchrow(_NAME, workspace_id))
    assert row is not None
    return str(row["name"])


class Pause:
    """A point inside the work on a snapshot where the test can stop it. On a thread it blocks, on a loop it awaits."""

    def __init__(self) -> None:
        self._main = asyncio.get_running_loop()
        self._there, self._on = asyncio.Event(), asyncio.Event()
        self._on_thread = threading.Event()

    async def wait_here(self) -> None:
        self._main.call_soon_threadsafe(self._there.set)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            assert self._on_thread.wait(10)
        else:
            await self._on.wait()

    async def reached(self) -> None:
        await self._there.wait()

    def resume(self) -> None:
        self._on.set()
        self._on_thread.set()


async def test_a_read_sees_one_snapshot(database: Database) -> None:
    workspace_id = await world.workspace(database)
    before = await name_of(database, workspace_id)
    pause = Pause()

    async def work(tx: Transaction) -> tuple[str, events.Heads, str]:
        first = await tx.fetchrow(_NAME, workspace_id)
        await pause.wait_here()
        second = await tx.fetchrow(_NAME, workspace_id)
        assert first is not None
        assert second is not None
        return first["name"], await events.heads(tx, workspace_id), second["name"]

    reading = asyncio.create_task(database.read(work))
    await pause.reached()
    await database.write(workspace_id, lambda tx: rename(tx, workspace_id, "new"))
    pause.resume()
    assert await reading == (before, events.Heads(0, 0, 0, database.era, database.era), before)
    assert await name_of(database, workspace_id) == "new"


async def test_work_that_raises_changes_and_publishes_nothing(database: Database, published: Published) -> None:
    workspace_id = await world.workspace(database)
    before = await name_of(database, workspace_id)

    async def work(tx: Transaction) -> None:
        await rename(tx, workspace_id, "new")
        raise LookupError("changed its mind")

    with pytest.raises(LookupError, match="changed its mind"):
        await database.write(workspace_id, work)
    assert await name_of(database, workspace_id) == before
    assert published.frames == []
    assert await database.write(workspace_id, lambda tx: rename(tx, workspace_id, "newer")) == 1


async def test_a_duplicate_row_is_reported_with_its_constraint(database: Database) -> None:
    workspace_id = await world.workspace(database)

    async def again(tx: Transaction) -> None:
        sql = (
            "INSERT INTO workspaces (id, slug, name, created_at) SELECT $2, slug, name, 0 FROM workspaces WHERE id = $1"
        )
        await tx.execute(sql, workspace_id, await tx.new_id())

    with pytest.raises(UniqueViolation, match="slug"):
        await database.write_unlocked(again)
    assert await database.write(workspace_id, lambda tx: rename(tx, workspace_id, "goes on")) == 1


async def test_execute_returns_the_number_of_changed_rows(database: Database) -> None:
    workspace_id = await world.workspace(database)
    assert await database.write_unlocked(lambda tx: tx.execute(_RENAME, workspace_id, "new")) == 1
    assert await database.write_unlocked(lambda tx: tx.execute(_RENAME, 0, "nobody")) == 0


async def test_frames_are_published_after_the_commit(database: Database, published: Published) -> None:
    workspace_id = await world.workspace(database)
    numbers = [await database.write(workspace_id, lambda tx: rename(tx, workspace_id, "new")) for _ in range(10)]
    # The main loop publishes the frames, which may happen only now.
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(published.frames) < len(numbers):  # noqa: ASYNC110
            await asyncio.sleep(0)
    assert [frame.seq for frame in published.frames] == numbers == list(range(1, 11))
    assert published.frames == await database.read(lambda tx: events.load(tx, workspace_id, 0, 10))


async def test_the_workspace_lock_gives_numbers_without_gaps_to_concurrent_writers(
    database: Database, address: str
) -> None:
    workspace_id = await world.workspace(database)
    # SQLite allows only one process, so its one writer stands for the second node.
    other = await open_database(address, Published(), connections=4) if address.startswith("postgres") else database
    nodes = [database, other] * 20
    numbers = await asyncio.gather(
        *(each.write(workspace_id, lambda tx: rename(tx, workspace_id, "x")) for each in nodes)
    )
    assert sorted(numbers) == list(range(1, 41))
    if other is not database:
        await other.close()


async def test_cancelled_changes_do_not_block_later_ones(database: Database) -> None:
    workspace_id = await world.workspace(database)
    works = [partial(rename, workspace_id=workspace_id, name=f"name {n}") for n in range(20)]
    changes = [asyncio.ensure_future(database.write(workspace_id, work)) for work in works]
    # Each time some changes are running and some are queued.
    for given_up in changes[::2]:
        await asyncio.sleep(0)
        given_up.cancel()
    async with asyncio.timeout(PATIENCE_SECONDS):
        kept = await asyncio.gather(*changes[1::2])
        assert len(set(kept)) == len(kept)
        assert await database.write(workspace_id, lambda tx: rename(tx, workspace_id, "the last")) > max(kept)


async def test_ids_ascend_in_the_order_of_the_event_numbers(database: Database) -> None:
    workspace_id = await world.workspace(database)

    async def work(tx: Transaction) -> tuple[int, int]:
        number = await rename(tx, workspace_id, "x")
        return number, await tx.new_id()

    drawn = sorted(await asyncio.gather(*(database.write(workspace_id, work) for _ in range(30))))
    ids = [identity for _, identity in drawn]
    assert ids == sorted(set(ids))


async def test_lists_and_pairs_are_tables_on_both_engines(database: Database) -> None:
    async def work(tx: Transaction) -> tuple[list[int], list[int]]:
        made = [await tx.new_id() for _ in range(3)]
        for each in made:
            await tx.execute("INSERT INTO timelines (id, chat_id, last_number) VALUES ($1, $1, $2)", each, each * 2)
        some = await tx.fetch("SELECT id FROM timelines WHERE id IN ANY_OF($1) ORDER BY id", made[1:])
        none = await tx.fetch("SELECT id FROM timelines WHERE id IN ANY_OF($1)", [])
        pairs = [(made[0], made[0] * 2), (made[1], 0)]
        sql = "SELECT p.a, p.b FROM timelines JOIN PAIRS($1) AS p ON p.a = id AND p.b = last_number"
        matching = [(row["a"], row["b"]) for row in await tx.fetch(sql, pairs)]
        assert not none
        assert matching == pairs[:1]
        return made, [row["id"] for row in some]

    made, some = await database.write_unlocked(work)
    assert some == made[1:]


async def test_a_row_is_read_as_it_is_now_also_when_it_is_read_again(database: Database) -> None:
    workspace_id = await world.workspace(database)
    for name in ("first", "second", "third"):
        await database.write(workspace_id, partial(rename, workspace_id=workspace_id, name=name))
        for _ in range(3):
            row = await database.read_row(_NAME, workspace_id, keys=(workspace_id,))
            assert row is not None
            assert row["name"] == name
    for _ in range(2):
        assert await database.read_row(_NAME, -1, keys=(-1,)) is None


async def test_rows_are_read_together_by_many(database: Database) -> None:
    ids = [await world.workspace(database) for _ in range(3)]
    names = [await name_of(database, each) for each in ids]
    for _ in range(2):
        rows = await asyncio.gather(*(database.read_row(_NAME, each, keys=(each,)) for each in ids * 20))
        assert [row and row["name"] for row in rows] == names * 20
