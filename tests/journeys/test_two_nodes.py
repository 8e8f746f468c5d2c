"""Two nodes on one PostgreSQL and one NATS: each serves every client, and losing NATS or a node loses nothing."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from fechatter.hub.hub import HEADS_EVERY_SECONDS
from tests.journeys.client import Client, colleague, owner
from tests.journeys.senders import Sender, wait_until_true
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
    """Two running nodes. The test may kill either of them, and NATS."""
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


def on_node(node: ServerProcess, person: Client) -> Client:
    """Return the same person with the same session on another node."""
    return Client(node, person.session)


async def delivery_seconds(sender: Client, chat_id: int, stream: Stream, contents: list[str]) -> list[float]:
    """Send messages one by one and return the time until the stream shows each."""
    taken = []
    for content in contents:
        began = time.monotonic()
        await sender.send(chat_id, content)
        event = await stream.next()
        assert event.data["data"]["message"]["content"] == content
        taken.append(time.monotonic() - began)
    return taken


async def next_events(stream: Stream, count: int) -> list[dict[str, Any]]:
    """Return the next events and check that their numbers have no gap."""
    events = [await stream.next() for _ in range(count)]
    assert [event.seq for event in events] == list(range(events[0].seq, events[0].seq + count))
    return [event.data for event in events]


async def wait_for_sends(senders: list[Sender], count: int) -> None:
    """Return once this many more messages are acknowledged."""
    enough = sum(len(sender.acknowledged) for sender in senders) + count
    await wait_until_true(lambda: sum(len(sender.acknowledged) for sender in senders) >= enough)


@asynccontextmanager
async def under_load(nodes: Nodes) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    """Send to both nodes, and yield a function that waits for more sends.

    Afterwards check that both delivered every acknowledged message in the same order.
    """
    ada = await owner(nodes.a)
    chat = await ada.chat("public_channel")
    streams = [await on_node(node, ada).listen() for node in (nodes.a, nodes.b)]
    senders = [
        Sender(on_node(node, ada), chat["id"], f"{node.port} {number}")
        for node in (nodes.a, nodes.b)
        for number in range(4)
    ]
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for sender in senders:
            group.create_task(sender.run(stop))
        yield lambda count: wait_for_sends(senders, count)
        stop.set()
    acknowledged = [content for sender in senders for content in sender.acknowledged]
    one, other = [await next_events(stream, len(acknowledged)) for stream in streams]
    assert one == other
    assert sorted(event["data"]["message"]["content"] for event in one) == sorted(acknowledged)
    assert [event["data"]["message"]["number"] for event in one] == list(range(1, len(one) + 1))
    assert sum((sender.statuses for sender in senders), start=Counter()).keys() == {201}


async def test_a_message_stored_by_one_node_is_delivered_by_the_other(nodes: Nodes) -> None:
    ada = await owner(nodes.a)
    bob = on_node(nodes.b, await colleague(ada))
    chat = await bob.chat("private_channel", ada)
    at_a, at_b = await ada.listen(), await bob.listen()
    there = await delivery_seconds(ada, chat["id"], at_b, [f"from a {number}" for number in range(30)])
    await next_events(at_a, 30)
    back = await delivery_seconds(bob, chat["id"], at_a, [f"from b {number}" for number in range(30)])
    # Without the bus, half of the messages would wait longer than this for the head poll.
    assert statistics.median(there) < HEADS_EVERY_SECONDS / 2
    assert statistics.median(back) < HEADS_EVERY_SECONDS / 2


async def test_a_personal_event_reaches_that_persons_devices_on_every_node_and_nobody_else(nodes: Nodes) -> None:
    ada = await owner(nodes.a)
    bob = on_node(nodes.b, await colleague(ada))
    chat = await bob.chat("private_channel", ada)
    cursor = await bob.cursor()
    own = [await on_node(node, bob).listen() for node in (nodes.a, nodes.b)]
    others = [await on_node(node, ada).listen() for node in (nodes.a, nodes.b)]
    await bob.call("PATCH", f"/api/chat/{chat['id']}/preferences", {"muted": True})
    # Everybody receives this event. No earlier event can follow it.
    await bob.send(chat["id"], "the end")
    for stream in own:
        assert [event.name for event in await stream.until("message.created")][-2:] == [
            "preferences.updated",
            "message.created",
        ]
    for stream in others:
        assert "preferences.updated" not in [event.name for event in await stream.until("message.created")]
    for node in (nodes.a, nodes.b):
        kinds = [[event["type"] for event in await on_node(node, who).events(cursor)] for who in (bob, ada)]
        assert kinds == [["preferences.updated", "message.created"], ["message.created"]]


async def test_both_nodes_write_and_deliver_the_same_order(nodes: Nodes) -> None:
    async with under_load(nodes) as sends:
        await sends(200)


async def test_the_log_delivers_while_nats_is_down_and_nats_delivers_when_it_is_back(nodes: Nodes) -> None:
    ada = await owner(nodes.a)
    chat = await ada.chat("public_channel")
    stream = await on_node(nodes.b, ada).listen()
    nodes.nats.kill()
    slow = await delivery_seconds(ada, chat["id"], stream, [f"through the log {number}" for number in range(5)])
    await asyncio.to_thread(nodes.nats.start)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await delivery_seconds(ada, chat["id"], stream, ["is it back?"]))[0] > statistics.median(slow) / 4:
            pass
    quick = await delivery_seconds(ada, chat["id"], stream, [f"through NATS {number}" for number in range(30)])
    # The log is polled once a second, NATS delivers at once.
    assert statistics.median(quick) < statistics.median(slow) / 2


async def test_a_nats_that_dies_under_load_loses_nothing(nodes: Nodes) -> None:
    async with under_load(nodes) as sends:
        await sends(100)
        nodes.nats.kill()
        await sends(100)
        await asyncio.to_thread(nodes.nats.start)
        await sends(200)


async def test_the_listeners_of_a_killed_node_resume_on_another(nodes: Nodes) -> None:
    ada = await owner(nodes.a)
    chat = await ada.chat("public_channel")
    stream = await ada.listen()
    seen = []
    senders = [Sender(on_node(nodes.a, ada), chat["id"], f"sender {number}") for number in range(4)]
    running = [asyncio.get_running_loop().create_task(sender.run(asyncio.Event())) for sender in senders]
    await wait_for_sends(senders, 50)
    nodes.a.kill()
    acknowledged = {content: message for sender in senders for content, message in sender.acknowledged.items()}
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    try:
        while True:
            seen.append((await stream.next()).data)
    except ConnectionError:
        resumed = await on_node(nodes.b, ada).listen(stream.cursor)
    seen += [event.data for event in await resumed.until("resumed") if event.name == "message.created"]
    assert [event["data"]["message"]["number"] for event in seen] == list(range(1, len(seen) + 1))
    assert acknowledged.keys() <= {event["data"]["message"]["content"] for event in seen}
    last = await on_node(nodes.b, ada).send(chat["id"], "and on")
    assert (await resumed.next()).data["data"]["message"]["number"] == last["number"] == len(seen) + 1


async def test_typing_on_one_node_is_shown_on_the_other(nodes: Nodes) -> None:
    ada = await owner(nodes.a)
    bob = await colleague(ada)
    chat_id = (await ada.chat("private_channel", bob))["id"]
    there, own = await on_node(nodes.b, bob).listen(), await on_node(nodes.b, ada).listen()
    await ada.post(f"/api/chat/{chat_id}/typing")
    [shown] = await there.until("typing.started")
    assert shown.data == {"chat_id": chat_id, "user_ids": [ada.id], "count": 1, "expires_in": 6}
    await own.quiet(0.3)


async def test_presence_is_aggregated_over_both_nodes(nodes: Nodes) -> None:
    ada = await owner(nodes.a)
    bob = await colleague(ada)
    here, there = await ada.listen(), await on_node(nodes.b, bob).listen()
    wanted = {"user_ids": [ada.id, bob.id]}

    async def shown(state: str) -> None:
        """Wait until Ada's stream shows Bob in this state."""
        while {"user_id": bob.id, "state": state} not in (await here.until("presence.changed"))[-1].data["presences"]:
            pass

    # The request reaches the node without the stream.
    await on_node(nodes.b, ada).post("/api/presence/subscriptions", wanted)
    await on_node(nodes.a, bob).call("PUT", "/api/presence", {"state": "dnd"})
    await shown("dnd")
    await on_node(nodes.a, bob).call("PATCH", "/api/users/me", {"shows_presence": False})
    await shown("offline")
    there.close()


async def test_a_read_mark_set_on_one_node_reaches_the_devices_on_the_other(nodes: Nodes) -> None:
    ada = await owner(nodes.a)
    bob = await colleague(ada)
    elsewhere = on_node(nodes.b, bob)
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
