"""Clients that take and do not read, a broken log, a held lock, over the real socket. Each test bears its number in the list of attacks."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from tests.attacks.conftest import execute
from tests.journeys.client import Client, colleague, owner
from tests.journeys.server import ServerProcess
from tests.journeys.stream import Stream
from tests.servers.process import PATIENCE_SECONDS

MEBIBYTE = 1 << 20
TOKEN = "reads-the-metrics"
SLOW, WINDOW_BYTES = 200, 4096
BATCHES, BATCH, CHARACTERS = 30, 100, 3_000
SENT_BYTES = BATCHES * BATCH * CHARACTERS
"""To each stream. A server that held it for each connection would hold SLOW times as much."""
MOST_STREAM_BYTES = 40 * 1024


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server where one person may have many streams."""
    process = ServerProcess(tmp_path_factory.mktemp("crowded"), signup="open", streams_per_person="100000", metrics_token=TOKEN)
    try:
        process.start()
        yield process
    finally:
        process.kill()


async def open_many(person: Client, count: int, *, window_bytes: int | None = None) -> list[Stream]:
    """Streams that have said hello, a hundred at a time."""
    found: list[Stream] = []
    while len(found) < count:
        some = min(100, count - len(found))
        opening = [Stream.open(person.server.port, person.token, window_bytes=window_bytes) for _ in range(some)]
        found += await asyncio.gather(*opening)
        await asyncio.gather(*(stream.until("hello") for stream in found[-some:]))
    return found


async def live_streams(server: ServerProcess) -> int:
    """As the metrics tell."""
    answer = await Client(server).ask("GET", "/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    [line] = [line for line in answer.body.decode().splitlines() if line.startswith("fechatter_streams ")]
    return int(float(line.split()[1]))


async def until(read: Callable[[], Awaitable[int]], value: int) -> None:
    """Return once `read` returns this value."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while await read() != value:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.2)


async def test_49_readers_that_do_not_read_hold_no_memory_and_nobody_up(crowded: ServerProcess) -> None:
    ada = await owner(crowded)
    chat = (await ada.chat("public_channel"))["id"]
    slow = await open_many(ada, SLOW, window_bytes=WINDOW_BYTES)
    quick = await ada.listen()
    body = {"messages": [{"content": "x" * CHARACTERS}] * BATCH}
    before, held = crowded.memory_bytes(), []
    for _ in range(BATCHES):
        await ada.post(f"/api/chat/{chat}/messages/batch", body)
        for _ in range(BATCH):
            assert (await quick.next()).name == "message.created"
        held.append(crowded.memory_bytes())
    assert max(held) - before < SLOW * SENT_BYTES / 4
    assert max(held[BATCHES // 2 :]) - max(held[: BATCHES // 2]) < SLOW * SENT_BYTES / 2 / 4
    await until(lambda: live_streams(crowded), 1)
    # What a closed one read last tells from where to go on, and nothing is lost.
    assert len(await ada.events(slow[0].cursor or "")) == BATCHES * BATCH


async def check_idle(server: ServerProcess, count: int) -> float:
    """So many idle streams hold little and hear what comes; returns the bytes that each holds."""
    ada = await owner(server)
    chat = (await ada.chat("public_channel"))["id"]
    before = server.memory_bytes()
    streams = await open_many(ada, count)
    each = (server.memory_bytes() - before) / count
    assert (await Client(server).ask("GET", "/health/simple")).status == 200
    message = await ada.send(chat, "to all")
    heard = await asyncio.gather(*(stream.next(60) for stream in streams))
    assert {event.data["data"]["message"]["id"] for event in heard} == {message["id"]}
    for stream in streams:
        stream.close()
    return each


async def test_50_five_hundred_idle_streams_hold_little_and_all_hear_what_comes(crowded: ServerProcess) -> None:
    assert await check_idle(crowded, 500) < MOST_STREAM_BYTES * 2


@pytest.mark.prove
@pytest.mark.timeout(600)
async def test_50_ten_thousand_idle_streams_hold_little_and_all_hear_what_comes(tmp_path: Path) -> None:
    process = ServerProcess(tmp_path, signup="open", streams_per_person="100000", heartbeat_seconds="300")
    try:
        process.start()
        assert await check_idle(process, 10_000) < MOST_STREAM_BYTES
    finally:
        process.kill()


async def test_53_an_event_that_cannot_be_read_breaks_no_replay(server: ServerProcess) -> None:
    ada = await owner(server)
    chat = (await ada.chat("public_channel"))["id"]
    cursor = await ada.cursor()
    for text in ("one", "two", "three"):
        await ada.send(chat, text)
    poisoned = int(cursor.rpartition(".")[2]) + 2
    await execute(server, f"UPDATE events SET type = 99, data = '{{' WHERE workspace_id = {ada.workspace_id} AND seq = {poisoned}")
    names = ["message.created", "unreadable", "message.created"]
    replay = await (await ada.listen(cursor)).until("resumed")
    assert [event.name for event in replay[1:-1]] == names
    assert [event.seq for event in replay[1:-1]] == [poisoned - 1, poisoned, poisoned + 1]
    assert [event["type"] for event in await ada.events(cursor)] == names
    assert (await ada.get("/api/sync"))["chats"][-1]["last_number"] == 3
    stranger = await owner(server)
    assert (await stranger.listen(await stranger.cursor())).cursor is not None


async def test_53_pages_go_on_over_what_one_may_not_see(server: ServerProcess) -> None:
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
async def locked(server: ServerProcess, workspace_id: int) -> AsyncIterator[None]:
    """Somebody else holds what writers need."""
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


def _writes(person: Client, chat: int) -> list[asyncio.Future[tuple[int, bool]]]:
    """Twenty changes and twenty messages at once: status, and whether a refusal says when to come again."""

    async def ask(method: str, path: str, body: object) -> tuple[int, bool]:
        answer = await person.ask(method, path, body)
        return answer.status, "retry-after" in answer.headers

    changes = [ask("PATCH", "/api/users/me", {"fullname": f"Ada {number}"}) for number in range(20)]
    sends = [ask("POST", f"/api/chat/{chat}/messages", {"content": "a", "idempotency_key": f"key {number}"}) for number in range(20)]
    return [asyncio.ensure_future(one) for one in changes + sends]


async def _answered_meanwhile(person: Client) -> None:
    """Reads succeed while the lock is held: a read that waited for it would be refused."""
    for path in ("/api/users/me", "/api/chat", "/api/sync", "/health", "/health/simple"):
        assert (await person.ask("GET", path)).status == 200, path


async def test_54_who_waits_for_a_lock_holds_up_nobody_who_reads(server: ServerProcess) -> None:
    ada, other = await owner(server), await owner(server)
    chat = (await ada.chat("public_channel"))["id"]
    async with locked(server, ada.workspace_id):
        waiting = _writes(ada, chat)
        await asyncio.sleep(0.3)
        for person in (ada, other):
            await _answered_meanwhile(person)
        if server.database_url is not None:
            # The lock is that of one workspace alone.
            await other.call("PATCH", "/api/users/me", {"fullname": "Somebody else"})
    assert set(await asyncio.gather(*waiting)) <= {(200, False), (201, False), (503, True)}
    for number in range(20):
        await ada.send(chat, "a", key=f"key {number}")
    assert len(await ada.history(chat)) == 20


@pytest.mark.prove
async def test_54_a_lock_that_is_never_given_back_is_told_and_nothing_is_lost(server: ServerProcess) -> None:
    ada = await owner(server)
    chat = (await ada.chat("public_channel"))["id"]
    async with locked(server, ada.workspace_id):
        waiting = _writes(ada, chat)
        statuses = set(await asyncio.gather(*waiting[-20:]))
        assert statuses == {(503, True)}
        await _answered_meanwhile(ada)
        assert {answer for answer in await asyncio.gather(*waiting[:20]) if answer[0] == 503} <= {(503, True)}
    for number in range(20):
        await ada.send(chat, "a", key=f"key {number}")
    assert len(await ada.history(chat)) == 20
