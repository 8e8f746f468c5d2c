"""Streams that end before their clients want: a reader that stalls."""

from __future__ import annotations

import asyncio

from tests.journeys.client import Client, colleague, owner
from tests.journeys.server import ServerProcess
from tests.journeys.stream import Stream

WINDOW_BYTES = 16 * 1024
STALLED = 24
RESUMED = 2
BATCHES = 9
MOST_GROWTH_BYTES = 200 * 1024 * 1024
"""Beside its own work the server may hold what they share and the write each is in, not fifteen megabytes for each."""


async def test_a_reader_that_stalls_is_closed_and_loses_nothing(own_server: ServerProcess) -> None:
    own_server.start()
    ada = await owner(own_server, setup_token=own_server.setup_token)
    bob, carol = await colleague(ada), await colleague(ada)
    chat = await ada.chat("private_channel", bob, carol)
    quick = await bob.listen()
    listeners = [bob, carol] * (STALLED // 2)
    stalled = [await Stream.open(own_server.port, person.token, window_bytes=WINDOW_BYTES) for person in listeners]
    before = own_server.memory_bytes()
    sent = await _send_much(ada, chat["id"])
    for number in sent:
        assert (await quick.next()).data["data"]["message"]["number"] == number
    await asyncio.sleep(4)
    assert own_server.memory_bytes() - before < MOST_GROWTH_BYTES
    for person, stream in list(zip(listeners, stalled, strict=True))[:RESUMED]:
        shown = await _read(stream)
        resumed = await person.listen(stream.cursor)
        shown += [event.data["data"]["message"]["number"] for event in (await resumed.until("resumed"))[1:-1]]
        assert shown == sent
        resumed.close()


async def _send_much(person: Client, chat_id: int) -> list[int]:
    """Fifteen megabytes of messages; returns their numbers."""
    batch = {"messages": [{"content": "\U0001f980" * 4_000}] * 100}
    answers = []
    for number in range(BATCHES):
        if number == BATCHES * 2 // 3:
            # By now the network is full, and what comes has to wait in the server.
            await asyncio.sleep(0.5)
        answers.append(await person.post(f"/api/chat/{chat_id}/messages/batch", batch))
    return [result["message"]["number"] for answer in answers for result in answer["results"]]


async def _read(stream: Stream) -> list[int]:
    """The numbers of the messages that a stream shows before it ends, and that it says why if it gets to."""
    events = await stream.rest()
    stream.close()
    numbers = [event.data["data"]["message"]["number"] for event in events if event.name == "message.created"]
    assert len(numbers) < BATCHES * 100, "the reader was not slow"
    assert all(event.data["reason"] == "slow" for event in events if event.name == "closing")
    return numbers
