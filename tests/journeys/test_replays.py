"""Long replays: held in pieces, closed when nobody takes them, whole for who does; and how many streams one person may have."""

from __future__ import annotations

import asyncio

import pytest

from tests.journeys.client import Client, colleague, owner
from tests.journeys.server import ServerProcess
from tests.journeys.stream import Refused, Stream
from tests.journeys.wire import Wire, head
from tests.servers.process import PATIENCE_SECONDS

STREAMS = 20
"""Of one person, by default."""
MESSAGES = 900
WINDOW_BYTES = 4 * 1024
CHARACTERS = 4_000
REPLAY_BYTES = MESSAGES * CHARACTERS * 4
"""Of one stream. A server that held whole replays would hold this much for each of them."""


async def send_much(person: Client, chat_id: int) -> None:
    batch = {"messages": [{"content": "\U0001f980" * CHARACTERS}] * 100}
    for _ in range(MESSAGES // 100):
        await person.post(f"/api/chat/{chat_id}/messages/batch", batch)


async def numbers(stream: Stream) -> list[int]:
    """Of the messages it shows until it has resumed or ends."""
    found = []
    try:
        while (event := await stream.next()).name != "resumed":
            if event.name == "message.created":
                found.append(event.data["data"]["message"]["number"])
    except ConnectionError:
        pass
    return found


async def test_replays_that_nobody_takes_cost_little_and_are_closed(own_server: ServerProcess) -> None:
    own_server.start()
    ada = await owner(own_server, setup_token=own_server.setup_token)
    bob = await colleague(ada)
    chat = await ada.chat("private_channel", bob)
    cursor = await bob.cursor()
    await send_much(ada, chat["id"])
    before = own_server.memory_bytes()
    stalled = [await Stream.open(own_server.port, bob.token, cursor, window_bytes=WINDOW_BYTES) for _ in range(STREAMS)]
    growth = []
    for _ in range(8):
        await asyncio.sleep(0.5)
        growth.append(own_server.memory_bytes() - before)
    assert max(growth) < STREAMS * REPLAY_BYTES / 2
    shown = await numbers(stalled[0])
    assert len(shown) < MESSAGES
    resumed = await bob.listen(stalled[0].cursor)
    await ada.send(chat["id"], "during the replay")
    shown += await numbers(resumed)
    if len(shown) == MESSAGES:
        shown.append((await resumed.next()).data["data"]["message"]["number"])
    assert shown == list(range(1, MESSAGES + 2))


async def test_one_person_has_at_most_so_many_streams(server: ServerProcess) -> None:
    ada = await owner(server)
    bob = await colleague(ada)
    streams = [await ada.listen() for _ in range(STREAMS)]
    with pytest.raises(Refused) as refused:
        await ada.listen()
    answer = refused.value.answer
    assert (answer.status, answer.code) == (429, "too_many_streams")
    assert int(answer.headers["retry-after"]) > 0
    await bob.listen()
    streams[0].close()
    await opened_again(ada)


async def opened_again(person: Client) -> Stream:
    """A stream, once the server has seen that another is gone."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                return await person.listen()
            except Refused:
                await asyncio.sleep(0.05)


async def test_the_head_of_a_stream_ends_at_once_and_is_none(server: ServerProcess) -> None:
    ada = await owner(server)
    wire = await Wire.open(server.port)
    for _ in range(STREAMS + 1):
        wire.writer.write(head("HEAD", "/events", {"authorization": f"Bearer {ada.token}"}))
        async with asyncio.timeout(PATIENCE_SECONDS):
            status, headers = await wire.answer_head()
        assert (status, headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert (await wire.request("GET", "/health/simple")).json == {"status": "ok"}
    await ada.listen()
