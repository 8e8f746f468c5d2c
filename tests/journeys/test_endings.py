"""Streams that end early: a client that stops reading."""

from __future__ import annotations

import pytest

from tests.journeys.client import Client, colleague, owner
from tests.journeys.metrics import closed_streams
from tests.journeys.server import ServerProcess
from tests.journeys.stream import Stream

pytestmark = pytest.mark.usefixtures("transport")

WINDOW_BYTES = 16 * 1024
STALLED = 24
RESUMED = 2
BATCHES = 18
BATCH = 50
CHARACTERS = 4_000
SENT_BYTES = BATCHES * BATCH * CHARACTERS * 4
"""To each stream. A server that buffered everything for each stalled stream would need STALLED times as much."""


async def test_a_stalled_client_is_disconnected_and_loses_nothing_after_it_resumes(own_server: ServerProcess) -> None:
    own_server.start()
    ada = await owner(own_server, setup_token=own_server.setup_token)
    bob, carol = await colleague(ada), await colleague(ada)
    chat = await ada.chat("private_channel", bob, carol)
    quick = await bob.listen()
    listeners = [bob, carol] * (STALLED // 2)
    stalled = [await Stream.open(own_server.port, person.token, window_bytes=WINDOW_BYTES) for person in listeners]
    before = own_server.memory_bytes()
    sent = await _send_much(ada, chat["id"], quick)
    while await closed_streams(ada) < STALLED:
        continue
    assert own_server.memory_bytes() - before < STALLED * SENT_BYTES / 2
    for person, stream in list(zip(listeners, stalled, strict=True))[:RESUMED]:
        shown = await _read(stream)
        resumed = await person.listen(stream.cursor)
        shown += [event.data["data"]["message"]["number"] for event in (await resumed.until("resumed"))[1:-1]]
        assert shown == sent
        resumed.close()


async def _send_much(person: Client, chat_id: int, quick: Stream) -> list[int]:
    """Send fifteen megabytes of messages, each batch when `quick` has received the one before; return their numbers.

    A batch is smaller than what may wait for a socket that accepts nothing for a moment.
    """
    batch = {"messages": [{"content": "\U0001f980" * CHARACTERS}] * BATCH}
    numbers: list[int] = []
    for _ in range(BATCHES):
        answer = await person.post(f"/api/chat/{chat_id}/messages/batch", batch)
        sent = [result["message"]["number"] for result in answer["results"]]
        assert [(await quick.next()).data["data"]["message"]["number"] for _ in sent] == sent
        numbers += sent
    return numbers


async def _read(stream: Stream) -> list[int]:
    """Return the numbers of the messages that a stream receives before the server ends it with `slow`."""
    events = await stream.rest()
    stream.close()
    numbers = [event.data["data"]["message"]["number"] for event in events if event.name == "message.created"]
    assert len(numbers) < BATCHES * BATCH, "the reader was not slow"
    assert all(event.data["reason"] == "slow" for event in events if event.name == "closing")
    return numbers
