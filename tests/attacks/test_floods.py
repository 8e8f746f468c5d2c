"""Clients that do not read their streams, damaged events and locks that are held, over real sockets."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from tests.attacks.conftest import execute
from tests.journeys.client import Client, colleague, owner
from tests.journeys.metrics import read_metrics
from tests.journeys.server import ServerProcess
from tests.journeys.stream import Stream
from tests.servers.process import PATIENCE_SECONDS

MEBIBYTE = 1 << 20
TOKEN = "reads-the-metrics"
SLOW, WINDOW_BYTES = 200, 4096
BATCHES, BATCH, CHARACTERS = 30, 100, 3_000
SENT_BYTES = BATCHES * BATCH * CHARACTERS
"""The bytes sent to each stream. A server that buffered them per connection would need SLOW times as much."""
MAX_STREAM_BYTES = 40 * 1024


@pytest.fixture(scope="module")
def crowded_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that allows many streams per person."""
    with ServerProcess(
        tmp_path_factory.mktemp("crowded"), signup="open", streams_per_person="100000", metrics_token=TOKEN
    ) as process:
        yield process


async def open_many(person: Client, count: int, *, window_bytes: int | None = None) -> list[Stream]:
    """Open streams in groups of 100 and wait for the `hello` of each."""
    found: list[Stream] = []
    while len(found) < count:
        some = min(100, count - len(found))
        opening = [Stream.open(person.server.port, person.token, window_bytes=window_bytes) for _ in range(some)]
        found += await asyncio.gather(*opening)
        await asyncio.gather(*(stream.until("hello") for stream in found[-some:]))
    return found


async def live_streams(server: ServerProcess) -> int:
    """Read the number of open streams from the metrics."""
    return int((await read_metrics(Client(server), TOKEN))["fechatter_streams"])


async def wait_for_value(read: Callable[[], Awaitable[int]], value: int) -> None:
    """Return once `read` returns this value."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await read() != value:
            continue


async def test_200_clients_that_stop_reading_use_little_memory_and_delay_nobody(crowded_server: ServerProcess) -> None:
    ada = await owner(crowded_server)
    chat = (await ada.chat("public_channel"))["id"]
    slow = await open_many(ada, SLOW, window_bytes=WINDOW_BYTES)
    quick = await ada.listen()
    body = {"messages": [{"content": "x" * CHARACTERS}] * BATCH}
    before, held = crowded_server.memory_bytes(), []
    for _ in range(BATCHES):
        await ada.post(f"/api/chat/{chat}/messages/batch", body)
        for _ in range(BATCH):
            assert (await quick.next()).name == "message.created"
        held.append(crowded_server.memory_bytes())
    assert max(held) - before < SLOW * SENT_BYTES / 4
    assert max(held[BATCHES // 2 :]) - max(held[: BATCHES // 2]) < SLOW * SENT_BYTES / 2 / 4
    await wait_for_value(lambda: live_streams(crowded_server), 1)
    # A closed stream's last event is a valid cursor, and nothing after it is lost.
    assert len(await ada.events(slow[0].cursor or "")) == BATCHES * BATCH


async def measure_idle_streams(server: ServerProcess, count: int) -> float:
    """Open `count` idle streams, check that each receives a message, and return the memory per stream in bytes."""
    ada = await owner(server)
    chat = (await ada.chat("public_channel"))["id"]
    before = server.memory_bytes()
    streams = await open_many(ada, count)
    each = (server.memory_bytes() - before) / count
    assert (await Client(server).ask("GET", "/health/simple")).status == 200
    message = await ada.send(chat, "to all")
    received = await asyncio.gather(*(stream.next(60) for stream in streams))
    assert {event.data["data"]["message"]["id"] for event in received} == {message["id"]}
    for stream in streams:
        stream.close()
    return each


async def test_500_idle_streams_use_little_memory_and_all_receive_a_message(crowded_server: ServerProcess) -> None:
    assert await measure_idle_streams(crowded_server, 500) < MAX_STREAM_BYTES * 2


@pytest.mark.prove
@pytest.mark.timeout(600)
async def test_10000_idle_streams_use_little_memory_and_all_receive_a_message(tmp_path: Path) -> None:
    process = ServerProcess(tmp_path, signup="open", streams_per_person="100000", heartbeat_seconds="300")
    try:
        process.start()
        assert await measure_idle_streams(process, 10_000) < MAX_STREAM_BYTES
    finally:
        process.kill()


async def test_an_unreadable_event_does_not_break_a_replay(server: ServerProcess) -> None:
    ada = await owner(server)
    chat = (await ada.chat("public_channel"))["id"]
    cursor = await ada.cursor()
    for text in ("one", "two", "three"):
        await ada.send(chat, text)
    poisoned = int(cursor.rpartition(".")[2]) + 2
    await execute(
        server, f"UPDATE events SET type = 99, data = '{{' WHERE workspace_id = {ada.workspace_id} AND seq = {poisoned}"
    )
    names = ["message.created", "unreadable", "message.created"]
    replay = await (await ada.listen(cursor)).until("resumed")
    assert [event.name for event in replay[1:-1]] == names
    assert [event.seq for event in replay[1:-1]] == [poisoned - 1, poisoned, poisoned + 1]
    assert [event["type"] for event in await ada.events(cursor)] == names
    assert (await ada.get("/api/sync"))["chats"][-1]["last_number"] == 3
    stranger = await owner(server)
    assert (await stranger.listen(await stranger.cursor())).cursor is not None


async def test_pages_of_events_skip_events_that_the_reader_cannot_see(server: ServerProcess) -> None:
    ada = await owner(server)
    bob = await colleague(ada)
    hidden, shown = (await ada.chat("private_channel"))["id"], (await ada.chat("private_channel", bob))["id"]
    cursor, texts = await bob.cursor(), ["one", "two", "three"]
    for text in texts:
        await ada.post(f"/api/chat/{hidden}/messages/batch", {"messages": [{"content": "hidden"}] * 100})
        await ada.send(shown, text)
    await ada.post(f"/api/chat/{hidden}/messages/batch", {"messages": [{"content": "hidden"}] * 100})
    found, pages, more = [], 0, True
    while more:
        page = await bob.get(f"/api/events?after={cursor}&limit=1")
        found, cursor, more, pages = found + page["events"], page["cursor"], page["more"], pages + 1
    assert [event["data"]["message"]["content"] for event in found] == texts
    assert (pages, cursor) == (3, await ada.cursor())


@asynccontextmanager
async def hold_write_lock(server: ServerProcess, workspace_id: int) -> AsyncIterator[None]:
    """Hold the lock that every writer of this workspace needs."""
    if server.database_url is None:
        connection = sqlite3.connect(server.data_dir / "fechatter.db", isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.close()
        return
    other = await asyncpg.connect(server.database_url)
    try:
        async with other.transaction():
            await other.fetchval("SELECT event_seq FROM workspaces WHERE id = $1 FOR UPDATE", workspace_id)
            yield
    finally:
        await other.close()


def _start_writes(person: Client, chat: int) -> list[asyncio.Future[tuple[int, bool]]]:
    """Start 20 changes and 20 sends. Each returns its status and whether the response has `Retry-After`."""

    async def ask(method: str, path: str, body: object) -> tuple[int, bool]:
        answer = await person.ask(method, path, body)
        return answer.status, "retry-after" in answer.headers

    changes = [ask("PATCH", "/api/users/me", {"fullname": f"Ada {number}"}) for number in range(20)]
    sends = [
        ask("POST", f"/api/chat/{chat}/messages", {"content": "a", "idempotency_key": f"key {number}"})
        for number in range(20)
    ]
    return [asyncio.ensure_future(one) for one in changes + sends]


async def _writer_is_busy(admin: Client) -> None:
    """Return once the message writer has begun a batch that it cannot store yet."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while "latency_seconds" not in (await admin.ask("GET", "/health")).json["parts"]["writer"]:
            continue


async def _check_reads_succeed(person: Client) -> None:
    """Check that reads succeed while the lock is held. A read that waited for the lock would be refused."""
    for path in ("/api/users/me", "/api/chat", "/api/sync", "/health", "/health/simple"):
        assert (await person.ask("GET", path)).status == 200, path


async def test_writers_that_wait_for_a_lock_do_not_delay_readers(server: ServerProcess) -> None:
    ada, other = await owner(server), await owner(server)
    chat = (await ada.chat("public_channel"))["id"]
    async with hold_write_lock(server, ada.workspace_id):
        waiting = _start_writes(ada, chat)
        await _writer_is_busy(ada)
        for person in (ada, other):
            await _check_reads_succeed(person)
        if server.database_url is not None:
            # The lock covers one workspace only.
            await other.call("PATCH", "/api/users/me", {"fullname": "Somebody else"})
    assert set(await asyncio.gather(*waiting)) <= {(200, False), (201, False), (503, True)}
    for number in range(20):
        await ada.send(chat, "a", key=f"key {number}")
    assert len(await ada.history(chat)) == 20


@pytest.mark.prove
async def test_writes_are_refused_with_503_when_the_lock_is_never_released_and_nothing_is_lost(
    server: ServerProcess,
) -> None:
    ada = await owner(server)
    chat = (await ada.chat("public_channel"))["id"]
    async with hold_write_lock(server, ada.workspace_id):
        waiting = _start_writes(ada, chat)
        statuses = set(await asyncio.gather(*waiting[-20:]))
        assert statuses == {(503, True)}
        await _check_reads_succeed(ada)
        assert {answer for answer in await asyncio.gather(*waiting[:20]) if answer[0] == 503} <= {(503, True)}
    for number in range(20):
        await ada.send(chat, "a", key=f"key {number}")
    assert len(await ada.history(chat)) == 20
