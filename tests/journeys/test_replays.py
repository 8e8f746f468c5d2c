"""Long replays are read in pieces and closed if the client does not read. Streams per person are limited."""

from __future__ import annotations

import asyncio

import pytest

from tests.journeys.client import Client, colleague, owner
from tests.journeys.metrics import closed_streams
from tests.journeys.server import ServerProcess
from tests.journeys.stream import Refused, Stream
from tests.journeys.wire import Wire, head
from tests.servers.process import PATIENCE_SECONDS

pytestmark = pytest.mark.usefixtures("transport")

STREAMS = 20
"""The default limit per person."""
MESSAGES = 900
WINDOW_BYTES = 4 * 1024
CHARACTERS = 4_000
REPLAY_BYTES = MESSAGES * CHARACTERS * 4
"""The size of one stream's replay. A server that buffered whole replays would need this much for each stream."""


async def send_much(person: Client, chat_id: int) -> None:
    batch = {"messages": [{"content": "\U0001f980" * CHARACTERS}] * 100}
    for _ in range(MESSAGES // 100):
        await person.post(f"/api/chat/{chat_id}/messages/batch", batch)


async def message_numbers(stream: Stream) -> list[int]:
    """Return the numbers of the messages that the stream shows until it has resumed or ends."""
    found = []
    try:
        while (event := await stream.next()).name != "resumed":
            if event.name == "message.created":
                found.append(event.data["data"]["message"]["number"])
    except ConnectionError:
        pass
    return found


async def test_unread_replays_use_little_memory_and_are_closed(own_server: ServerProcess) -> None:
    own_server.start()
    ada = await owner(own_server, setup_token=own_server.setup_token)
    bob = await colleague(ada)
    chat = await ada.chat("private_channel", bob)
    cursor = await bob.cursor()
    await send_much(ada, chat["id"])
    before = own_server.memory_bytes()
    stalled = [await Stream.open(own_server.port, bob.token, cursor, window_bytes=WINDOW_BYTES) for _ in range(STREAMS)]
    growth = []
    while await closed_streams(ada) < STREAMS:
        growth.append(own_server.memory_bytes() - before)
    assert max(growth) < STREAMS * REPLAY_BYTES / 2
    shown = await message_numbers(stalled[0])
    assert len(shown) < MESSAGES
    resumed = await bob.listen(stalled[0].cursor)
    await ada.send(chat["id"], "during the replay")
    shown += await message_numbers(resumed)
    if len(shown) == MESSAGES:
        shown.append((await resumed.next()).data["data"]["message"]["number"])
    assert shown == list(range(1, MESSAGES + 2))


async def test_clients_that_leave_during_a_replay_leave_nothing_behind(server: ServerProcess) -> None:
    ada = await owner(server)
    chat = await ada.chat("private_channel")
    cursor = await ada.cursor()
    await send_much(ada, chat["id"])
    for _ in range(2 * STREAMS):
        stream = await Stream.open(server.port, ada.token, cursor, window_bytes=WINDOW_BYTES)
        while (await stream.next()).name != "message.created":
            pass
        stream.close()
    shown = await message_numbers(await reopened(ada, cursor))
    assert shown == list(range(1, MESSAGES + 1))


async def reopened(person: Client, cursor: str) -> Stream:
    """Open a stream once the server has noticed that earlier ones have ended."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                return await person.listen(cursor)
            except Refused:
                continue


async def test_a_person_has_a_limited_number_of_streams(server: ServerProcess) -> None:
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
    await open_again(ada)


async def open_again(person: Client) -> Stream:
    """Open a stream as soon as the server has noticed that another one is closed."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                return await person.listen()
            except Refused:
                await asyncio.sleep(0.05)


async def test_head_requests_for_a_stream_end_at_once_and_do_not_count_as_streams(server: ServerProcess) -> None:
    ada = await owner(server)
    wire = await Wire.open(server.port)
    for _ in range(STREAMS + 1):
        wire.writer.write(head("HEAD", "/events", {"authorization": f"Bearer {ada.token}"}))
        async with asyncio.timeout(PATIENCE_SECONDS):
            status, headers = await wire.answer_head()
        assert (status, headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert (await wire.request("GET", "/health/simple")).json == {"status": "ok"}
    await ada.listen()
