"""A full queue refuses with the documented response. Tests of other queues are next to the tests of their owners."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from fechatter.api import problems
from fechatter.errors import Unavailable
from fechatter.hub import states
from fechatter.hub.hub import Hub
from fechatter.hub.listener import Reader
from fechatter.hub.states import Live
from fechatter.model import Position
from fechatter.settings import Settings
from fechatter.storage import events
from fechatter.storage.engines import connections, thread
from fechatter.storage.engines.base import Database, Transaction, Work
from fechatter.storage.engines.errors import StorageBusy
from fechatter.storage.opening import open_database
from tests import world
from tests.engines import CONNECTIONS, Published
from tests.hub.node import OwnTasks

MOST, MANY = 2, 10


@pytest.fixture
async def narrow_database(address: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """A database with very short queues."""
    monkeypatch.setattr(connections, "MAX_WAITING", MOST)
    monkeypatch.setattr(thread, "MAX_WAITING_CALLS", MOST)
    opened = await open_database(address, Published(), connections=CONNECTIONS)
    yield opened
    await opened.close()


async def nothing(tx: Transaction) -> int:
    return tx.now


def check_refusal(error: StorageBusy, code: str) -> None:
    answer = problems.render(problems.from_storage(error), "id")
    assert (answer.status_code, answer.headers["retry-after"], error.code) == (503, "1", code)


async def test_requests_beyond_the_database_queue_are_refused_at_once(narrow_database: Database) -> None:
    for work, code in (
        (narrow_database.read, {"database_busy"}),
        (narrow_database.write_unlocked, {"database_busy", "writer_full"}),
    ):
        answers = await asyncio.gather(*(work(nothing) for _ in range(MANY)), return_exceptions=True)
        refusals = [answer for answer in answers if isinstance(answer, StorageBusy)]
        assert len(refusals) == MANY - MOST
        assert {error.code for error in refusals} <= code
        check_refusal(refusals[0], refusals[0].code)
        assert await work(nothing) > 0
    assert [queue.depth() for queue in narrow_database.queues()] == [0, 0]


async def test_calls_beyond_the_writers_limit_are_refused(narrow_database: Database) -> None:
    async def call() -> int:
        return 1

    answers = await asyncio.gather(*(narrow_database.writer.call(call) for _ in range(MANY)), return_exceptions=True)
    assert [answer for answer in answers if answer == 1] == [1] * MOST
    assert {type(answer) for answer in answers if answer != 1} == {thread.CallsFull}


@pytest.mark.parametrize("always", [False, True])
async def test_a_replay_is_read_again_when_too_many_frames_arrive_meanwhile(
    database: Database, monkeypatch: pytest.MonkeyPatch, always: bool
) -> None:
    monkeypatch.setattr(states, "MAX_JOINING_FRAMES", 1)
    (alice,) = await world.people(database, "alice")
    tasks = OwnTasks()
    hub, reads = Hub(database, tasks, Settings()), 0
    read = database.read

    async def interrupted(work: Work[object]) -> object:
        """Commit more events than the joining buffer can store while the replay is read."""
        nonlocal reads
        reads += 1
        found = await read(work)
        if reads > 1 and (always or reads == 2):
            position = hub._feeds[alice.workspace_id].sequencer.position
            for place in range(3):
                await world.do(database, world.rename, alice, f"Alice {place}")
            hub.receive(await read(lambda tx: events.load(tx, alice.workspace_id, position, position + 3)))
        return found

    monkeypatch.setattr(database, "read", interrupted)
    reader, cursor = Reader(alice.user_id, alice.workspace_id, alice.session_id), Position(database.era, 0)
    if always:
        with pytest.raises(Unavailable) as refused:
            await hub.open(reader, cursor)
        assert (refused.value.code, hub.listeners) == ("stream_behind", 0)
    else:
        listener = await hub.open(reader, cursor)
        assert (reads, type(listener.state)) == (3, Live)
    await tasks.stop()
