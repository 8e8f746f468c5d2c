"""Messages that are published to the streams of their chats."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fechatter.native import Streams
from tests.gateway.conftest import RunningGateway
from tests.gateway.live import CLOSING, App, listen
from tests.journeys.wire import Wire


async def test_published_messages_reach_the_streams_of_their_chats_in_order(door: RunningGateway, app: App) -> None:
    opened = [await listen(door.port, app) for _ in range(3)]
    for place, (_, stream) in enumerate(opened):
        app.streams.enter([1], stream, after=place)
    app.streams.enter([2], opened[0][1], after=0)
    expected: list[list[bytes]] = [[], [], []]
    for first in range(1, 301, 10):
        messages = [(1 + seq % 2, seq, b"data: %d\n\n" % seq) for seq in range(first, first + 10)]
        app.streams.publish(messages)
        for chat_id, seq, block in messages:
            for place in range(3):
                if (chat_id == 1 and seq > place) or place == 0:
                    expected[place].append(block)
        own = b"data: own %d\n\n" % first
        for place, (_, stream) in enumerate(opened):
            stream.offer(own)
            expected[place].append(own)
    app.streams.leave(1, opened[0][1])
    app.streams.leave(2, opened[0][1])
    app.streams.publish([(1, 301, b"data: last\n\n"), (2, 302, b"data: nobody\n\n")])
    for place, (wire, stream) in enumerate(opened):
        stream.end(CLOSING)
        received = b"".join([part async for part in parts(wire)])
        last = [] if place == 0 else [b"data: last\n\n"]
        assert received == b"".join([*expected[place], *last, CLOSING])


async def parts(wire: Wire) -> AsyncIterator[bytes]:
    while part := await wire.chunk():
        yield part


async def test_a_message_waits_in_every_stream_of_its_chat_and_a_full_stream_is_reported(app: App) -> None:
    streams = Streams(100, 1 << 20)
    opened = [streams.open() for _ in range(1_000)]
    for stream in opened:
        streams.enter([7], stream, after=0)
    streams.publish([(7, seq, b"x" * 100) for seq in range(1, 101)])
    assert {(stream.pending, stream.pending_bytes) for stream in opened} == {(100, 10_000)}
    assert streams.notices() == []
    assert opened[0].take(1 << 20) == b"x" * 10_000
    streams.publish([(7, 101, b"x"), (7, 102, b"x")])
    assert sorted(streams.notices()) == [(stream.id, "full") for stream in opened[1:]]


async def test_a_writer_of_the_app_is_woken_by_the_next_block(app: App) -> None:
    stream = app.streams.open()
    app.streams.enter([7], stream, after=0)
    assert stream.await_block()
    app.streams.publish([(7, 1, b"one"), (7, 2, b"two")])
    assert app.streams.notices() == [(stream.id, "ready")]
    assert not stream.await_block()
    assert stream.take(100) == b"onetwo"
