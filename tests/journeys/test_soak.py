"""A soak: people send, join and leave while some listeners are slow and some reconnect. Each stream stays correct."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, NamedTuple

import psutil
import pytest

from tests.journeys.client import Client, colleague, owner
from tests.journeys.metrics import read_metrics
from tests.journeys.senders import Sender, wait_until_true
from tests.journeys.server import ServerProcess
from tests.journeys.soak import Reader

CHATS = 4
PEOPLE = 8
MOST_GROWTH = 1.1
"""Of the memory between one third of the time and its end."""


class Size(NamedTuple):
    """The size of a soak."""

    seconds: float
    streams_per_person: int
    senders: int
    reconnects_every_seconds: float
    checks_memory: bool


BRIEF = Size(seconds=4, streams_per_person=4, senders=2, reconnects_every_seconds=0.5, checks_memory=False)
LONG = Size(seconds=900, streams_per_person=40, senders=8, reconnects_every_seconds=10, checks_memory=True)


@pytest.mark.parametrize(
    "size", [BRIEF, pytest.param(LONG, marks=[pytest.mark.prove, pytest.mark.timeout(1500)])], ids=["brief", "long"]
)
async def test_streams_stay_correct_under_load(own_server: ServerProcess, size: Size) -> None:
    own_server.settings["streams_per_person"] = "1000"
    # A slow reader is far behind on a fast machine.
    own_server.settings |= {"replay_events": "100000", "replay_scan_events": "10000000"}
    await asyncio.to_thread(own_server.start)
    host = await owner(own_server, setup_token=own_server.setup_token)
    people = [host, *[await colleague(host) for _ in range(PEOPLE - 1)]]
    chats = [(await host.chat("private_channel", *people[1:]))["id"] for _ in range(CHATS)]
    readers = _readers(people, chats, await host.cursor(), size)
    stop = asyncio.Event()
    senders = [Sender(host, chats[number % CHATS], f"sender {number}") for number in range(size.senders)]
    async with asyncio.TaskGroup() as tasks:
        following = [tasks.create_task(reader.run()) for reader in readers]
        working: list[Coroutine[Any, Any, None]] = [sender.run(stop) for sender in senders]
        working += [_come_and_go(host, people[-1], chats, stop), _check_queues(host, stop)]
        async with asyncio.TaskGroup() as busy:
            for each in working:
                busy.create_task(each)
            before, after = await _memory_after(own_server, size.seconds)
            stop.set()
        await _catch_up(host, chats, readers)
        for task in following:
            task.cancel()
    assert all(reader.received > 0 for reader in readers)
    assert max(reader.opened for reader in readers) > 2
    assert {reason for reader in readers for reason in reader.closings} <= {"slow"}
    assert not size.checks_memory or after < before * MOST_GROWTH, f"{before:,} bytes became {after:,}"


def _readers(people: list[Client], chats: list[int], cursor: str, size: Size) -> list[Reader]:
    """Of each person's streams, one reconnects again and again. One stream of all is slow, in a long soak 1 %."""
    readers = []
    for person in people:
        for number in range(size.streams_per_person):
            stays = size.reconnects_every_seconds if number == 0 else None
            is_slow = number == 1 and (len(readers) % 100 == 1)
            readers.append(Reader(person, chats, cursor, stays, pauses_seconds=0.2 if is_slow else 0))
    return readers


async def _come_and_go(host: Client, member: Client, chats: list[int], stop: asyncio.Event) -> None:
    """Let a person leave and join one chat after the other."""
    number = 0
    while not stop.is_set():
        path = f"/api/chat/{chats[number % len(chats)]}/members"
        await host.call("DELETE", f"{path}/{member.id}")
        await host.post(path, {"members": [member.id]})
        number += 1


async def _check_queues(host: Client, stop: asyncio.Event) -> None:
    while not stop.is_set():
        metrics = await read_metrics(host)
        for name, depth in metrics.items():
            if name.startswith("fechatter_queue_depth"):
                assert depth <= metrics[name.replace("queue_depth", "queue_limit")], (name, depth)


async def _memory_after(server: ServerProcess, seconds: float) -> tuple[int, int]:
    """Return the resident memory of the server after one third of the time and at the end."""
    process = psutil.Process(server.process.pid)
    await asyncio.sleep(seconds / 3)
    before = process.memory_info().rss
    await asyncio.sleep(seconds / 3 * 2)
    return before, process.memory_info().rss


async def _catch_up(host: Client, chats: list[int], readers: list[Reader]) -> None:
    """Send a last message to each chat and wait until every reader has received it."""
    for reader in readers:
        reader.pauses_seconds = 0
    last = {chat: (await host.send(chat, "the last one"))["number"] for chat in chats}
    await wait_until_true(lambda: all(reader.numbers == last for reader in readers))
