"""Two nodes on one PostgreSQL and one NATS: any of them answers anybody, and the death of either part loses nothing."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from fechatter.hub.hub import HEADS_EVERY_SECONDS
from tests.journeys.client import Client, colleague, owner
from tests.journeys.senders import Sender
from tests.journeys.server import ServerProcess
from tests.journeys.stream import Stream
from tests.servers.nats import Nats
from tests.servers.postgres import Postgres
from tests.servers.process import PATIENCE_SECONDS

SHARED_SECRET = "one secret for all the nodes of a server"


class Nodes(NamedTuple):
    a: ServerProcess
    b: ServerProcess
    nats: Nats


@pytest.fixture
def nodes(postgres_server: Postgres, tmp_path: Path) -> Iterator[Nodes]:
    """Both run; the test may kill either, and NATS."""
    settings = {"signup": "open", "heartbeat_seconds": "1", "jwt_secret": SHARED_SECRET}
    nats, url = Nats(), postgres_server.create_database()
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
    a, b = (ServerProcess(folder, url, nats_url=nats.url, **settings) for folder in folders)
    try:
        nats.start()
        a.start()
        b.start()
        yield Nodes(a, b, nats)
    finally:
        a.kill()
        b.kill()
        nats.remove()


def at(node: ServerProcess, person: Client) -> Client:
    """The same person with the same session, at another node."""
    return Client(node, person.session)


async def delivery_seconds(sender: Client, chat_id: int, stream: Stream, contents: list[str]) -> list[float]:
    """How long each message takes from its sending to its showing; each is shown alone and in turn."""
    taken = []
    for content in contents:
        began = time.monotonic()
        await sender.send(chat_id, content)
        event = await stream.next()
        assert event.data["data"]["message"]["content"] == content
        taken.append(time.monotonic() - began)
    return taken


async def shown(stream: Stream, count: int) -> list[dict[str, Any]]:
    """The next events, their numbers without a gap."""
    events = [await stream.next() for _ in range(count)]
    assert [event.seq for event in events] == list(range(events[0].seq, events[0].seq + count))
    return [event.data for event in events]


@asynccontextmanager
async def loaded(nodes: Nodes) -> AsyncIterator[None]:
    """Both nodes are sent messages meanwhile; afterwards both have shown all that was acknowledged, in one order."""
    ada = await owner(nodes.a)
    chat = await ada.chat("public_channel")
    streams = [await at(node, ada).listen() for node in (nodes.a, nodes.b)]
    senders = [Sender(at(node, ada), chat["id"], f"{node.port} {number}") for node in (nodes.a, nodes.b) for number in range(4)]
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for sender in senders:
            group.create_task(sender.run(stop))
        yield
        stop.set()
    acknowledged = [content for sender in senders for content in sender.acknowledged]
    one, other = [await shown(stream, len(acknowledged)) for stream in streams]
    assert one == other
    assert sorted(event["data"]["message"]["content"] for event in one) == sorted(acknowledged)
    assert [event["data"]["message"]["number"] for event in one] == list(range(1, len(one) + 1))
    assert sum((sender.statuses for sender in senders), start=Counter()).keys() == {201}


async def test_what_one_node_stores_another_shows(nodes: Nodes) -> None:
    ada = await owner(nodes.a)
    bob = at(nodes.b, await colleague(ada))
    chat = await bob.chat("private_channel", ada)
    at_a, at_b = await ada.listen(), await bob.listen()
    there = await delivery_seconds(ada, chat["id"], at_b, [f"from a {number}" for number in range(30)])
    await shown(at_a, 30)
    back = await delivery_seconds(bob, chat["id"], at_a, [f"from b {number}" for number in range(30)])
    # Without the bus, half of the messages would wait longer than this for the head poll.
    assert statistics.median(there) < HEADS_EVERY_SECONDS / 2
    assert statistics.median(back) < HEADS_EVERY_SECONDS / 2


async def test_a_persons_event_reaches_that_persons_devices_on_every_node_and_nobody_else(nodes: Nodes) -> None:
    ada = await owner(nodes.a)
    bob = at(nodes.b, await colleague(ada))
    chat = await bob.chat("private_channel", ada)
    cursor = await bob.cursor()
    own = [await at(node, bob).listen() for node in (nodes.a, nodes.b)]
    others = [await at(node, ada).listen() for node in (nodes.a, nodes.b)]
    await bob.call("PATCH", f"/api/chat/{chat['id']}/preferences", {"muted": True})
    # Everybody is shown this one, so that nothing else can be on its way behind it.
    await bob.send(chat["id"], "the end")
    for stream in own:
        assert [event.name for event in await stream.until("message.created")][-2:] == ["preferences.updated", "message.created"]
    for stream in others:
        assert "preferences.updated" not in [event.name for event in await stream.until("message.created")]
    for node in (nodes.a, nodes.b):
        kinds = [[event["type"] for event in await at(node, who).events(cursor)] for who in (bob, ada)]
        assert kinds == [["preferences.updated", "message.created"], ["message.created"]]


async def test_both_nodes_write_one_order_and_both_show_it(nodes: Nodes) -> None:
    async with loaded(nodes):
        await asyncio.sleep(1)


async def test_without_nats_the_log_delivers_and_with_it_again_nats_does(nodes: Nodes) -> None:
    ada = await owner(nodes.a)
    chat = await ada.chat("public_channel")
    stream = await at(nodes.b, ada).listen()
    nodes.nats.kill()
    slow = await delivery_seconds(ada, chat["id"], stream, [f"through the log {number}" for number in range(5)])
    await asyncio.to_thread(nodes.nats.start)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await delivery_seconds(ada, chat["id"], stream, ["is it back?"]))[0] > statistics.median(slow) / 4:
            pass
    quick = await delivery_seconds(ada, chat["id"], stream, [f"through NATS {number}" for number in range(30)])
    # The log is asked once a second; NATS does not wait.
    assert statistics.median(quick) < statistics.median(slow) / 2


async def test_a_nats_that_dies_under_load_loses_nothing(nodes: Nodes) -> None:
    async with loaded(nodes):
        await asyncio.sleep(0.5)
        nodes.nats.kill()
        await asyncio.sleep(0.5)
        await asyncio.to_thread(nodes.nats.start)
        await asyncio.sleep(1)


async def test_the_listeners_of_a_killed_node_resume_at_another(nodes: Nodes) -> None:
    ada = await owner(nodes.a)
    chat = await ada.chat("public_channel")
    stream = await ada.listen()
    seen = []
    senders = [Sender(at(nodes.a, ada), chat["id"], f"sender {number}") for number in range(4)]
    running = [asyncio.get_running_loop().create_task(sender.run(asyncio.Event())) for sender in senders]
    await asyncio.sleep(0.5)
    nodes.a.kill()
    acknowledged = {content: message for sender in senders for content, message in sender.acknowledged.items()}
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    try:
        while True:
            seen.append((await stream.next()).data)
    except ConnectionError:
        resumed = await at(nodes.b, ada).listen(stream.cursor)
    seen += [event.data for event in await resumed.until("resumed") if event.name == "message.created"]
    assert [event["data"]["message"]["number"] for event in seen] == list(range(1, len(seen) + 1))
    assert acknowledged.keys() <= {event["data"]["message"]["content"] for event in seen}
    last = await at(nodes.b, ada).send(chat["id"], "and on")
    assert (await resumed.next()).data["data"]["message"]["number"] == last["number"] == len(seen) + 1


async def test_a_read_mark_set_at_one_node_reaches_the_devices_of_the_other(nodes: Nodes) -> None:
    ada = await owner(nodes.a)
    bob = await colleague(ada)
    elsewhere = at(nodes.b, bob)
    chat_id = (await ada.chat("private_channel", bob))["id"]
    for text in ("one", "two", "three"):
        await ada.send(chat_id, text)
    stream = await elsewhere.listen()
    await bob.call("PUT", f"/api/chat/{chat_id}/read", {"number": 3, "revision": 0})
    mark = await bob.post(f"/api/chat/{chat_id}/unread", {"number": 2})
    await elsewhere.call("PUT", f"/api/chat/{chat_id}/read", {"number": 3, "revision": 0})
    moved = [event.data["data"]["read"] for _ in range(2) for event in await stream.until("read.moved")]
    assert [(read["revision"], read["last_read_number"]) for read in moved] == [(0, 3), (1, 1)]
    assert moved[-1] == mark
    chat = await elsewhere.get(f"/api/chat/{chat_id}")
    assert (chat["read_revision"], chat["last_read_number"], chat["unread_count"]) == (1, 1, 2)
