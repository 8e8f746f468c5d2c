"""No acknowledged message is lost, duplicated or misnumbered when the server or its database is killed."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.journeys.client import Client, colleague, owner
from tests.journeys.senders import Follower, Sender, wait_until_true
from tests.journeys.server import ServerProcess
from tests.servers.postgres import Postgres
from tests.servers.process import PATIENCE_SECONDS

SENDERS = 24
CHATS = 4
ROUND_SECONDS = 1.2
CATCH_UP_SECONDS = PATIENCE_SECONDS


class Load:
    """Senders in several chats and one follower of all chats, across several crashes of the server."""

    def __init__(self, host: Client, chats: list[int], senders: list[Sender], follower: Follower) -> None:
        self.host = host
        self.chats = chats
        self.senders = senders
        self.follower = follower
        self.logged = 0
        self._checked = follower.cursor

    @classmethod
    async def begin(cls, server: ServerProcess) -> Load:
        host = await owner(server, setup_token=server.setup_token)
        listener = await colleague(host)
        people = [host, await colleague(host), await colleague(host)]
        chats = [(await host.chat("private_channel", listener, *people[1:]))["id"] for _ in range(CHATS)]
        senders = [Sender(people[n % len(people)], chats[n % CHATS], f"sender {n}") for n in range(SENDERS)]
        return cls(host, chats, senders, Follower(listener, await listener.cursor()))

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run all senders and the follower. At the end, every send is acknowledged and the follower has caught up."""
        stop = asyncio.Event()
        following = asyncio.create_task(self.follower.run())
        reaching: asyncio.Task[None] | None = None
        try:
            async with asyncio.TaskGroup() as sending:
                for sender in self.senders:
                    sending.create_task(sender.run(stop))
                yield
                stop.set()
            head = await self.host.cursor()
            reaching = asyncio.create_task(self.follower.wait_for_cursor(head))
            await asyncio.wait([following, reaching], timeout=CATCH_UP_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            assert self.follower.cursor == head, "the listener did not catch up"
        finally:
            for task in filter(None, (following, reaching)):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    @property
    def statuses(self) -> Counter[int]:
        """The number of responses per status; 0 counts broken connections."""
        return sum((sender.statuses for sender in self.senders), Counter())

    @property
    def acknowledged(self) -> dict[str, dict[str, object]]:
        return {content: message for sender in self.senders for content, message in sender.acknowledged.items()}

    async def wait_for_acknowledgements(self) -> None:
        """Return once another message is acknowledged."""
        before = len(self.acknowledged)
        await wait_until_true(lambda: len(self.acknowledged) > before)

    async def check(self) -> None:
        """Compare the stored messages and the log with what was acknowledged and followed."""
        stored = [message for chat_id in self.chats for message in await self._history(chat_id)]
        contents = [message["content"] for message in stored]
        assert len(contents) == len(set(contents)), "a message is stored twice"
        acknowledged = self.acknowledged
        assert set(contents) == set(acknowledged), "a message was lost, or was never sent"
        for message in stored:
            shown = {
                key: value for key, value in acknowledged[str(message["content"])].items() if key != "idempotency_key"
            }
            assert shown == message
        await self._check_events()

    async def _history(self, chat_id: int) -> list[dict[str, object]]:
        messages = await self.host.history(chat_id)
        assert [message["number"] for message in messages] == list(range(1, len(messages) + 1)), (
            "a chat's numbers have a gap"
        )
        return messages

    async def _check_events(self) -> None:
        """Compare the log since the last check with what the follower received."""
        log = await self.host.events(self._checked)
        first = int(self._checked.rpartition(".")[2]) + 1
        assert [event["seq"] for event in log] == list(range(first, first + len(log))), "the log's numbers have a gap"
        assert self.follower.seen == log, "the listener was shown something else than the log"
        self.logged += len(log)
        assert self.logged == len(self.acknowledged), "an event without a message, or the other way round"
        self._checked = self.follower.cursor
        self.follower.seen.clear()


async def run_rounds(server: ServerProcess, count: int, die: Callable[[], Awaitable[None]]) -> Counter[int]:
    """Load the server, crash it and check everything, `count` times. Returns the number of responses per status."""
    luck = random.Random(count)
    load = await Load.begin(server)
    sent = []
    for _ in range(count):
        async with load.running():
            before = len(load.acknowledged)
            await asyncio.sleep(ROUND_SECONDS * luck.uniform(0.5, 1.5))
            sent.append(len(load.acknowledged) - before)
            await die()
            await load.wait_for_acknowledgements()
        await load.check()
    assert min(sent) > 0, f"messages acknowledged in each round: {sent}"
    return load.statuses


async def kill_the_server(server: ServerProcess, count: int) -> None:
    async def die() -> None:
        server.kill()
        await asyncio.to_thread(server.start)

    # The follower is far behind if the senders are much faster.
    server.settings |= {"replay_events": "100000", "replay_scan_events": "10000000"}
    server.start()
    statuses = await run_rounds(server, count, die)
    assert statuses[0] >= count, "no connection was cut"


async def test_a_killed_server_keeps_every_acknowledged_message(own_server: ServerProcess) -> None:
    await kill_the_server(own_server, 2)


@pytest.mark.prove
@pytest.mark.timeout(600)
async def test_a_server_killed_twenty_times_keeps_every_acknowledged_message(own_server: ServerProcess) -> None:
    await kill_the_server(own_server, 20)


async def kill_the_database(folder: Path, count: int) -> None:
    database = Postgres()
    try:
        database.start()
        server = ServerProcess(folder, database.create_database())
        server.start()

        async def die() -> None:
            database.kill()
            while (await Client(server).ask("GET", "/health")).status != 503:
                continue
            await asyncio.to_thread(database.start)

        process = server.process
        try:
            statuses = await run_rounds(server, count, die)
            assert (statuses[0], statuses[503] > 0) == (0, True), statuses
            assert process.poll() is None, "the server ended with its database"
        finally:
            server.kill()
    finally:
        database.remove()


async def test_the_server_waits_for_a_killed_postgres_and_loses_nothing(tmp_path: Path) -> None:
    await kill_the_database(tmp_path, 2)


@pytest.mark.prove
@pytest.mark.timeout(600)
async def test_the_server_waits_for_a_postgres_killed_twenty_times_and_loses_nothing(tmp_path: Path) -> None:
    await kill_the_database(tmp_path, 20)
