"""A live stream as a WebSocket: what the gateway writes, reads and refuses. The app only hands streams over."""

from __future__ import annotations

import asyncio

import pytest

from fechatter.native import Certificates, Stream, Streams
from tests.gateway.conftest import RunningGateway, StartGateway
from tests.gateway.live import CLOSING
from tests.gateway.tls import client
from tests.gateway.upstream import Received, Upstream
from tests.journeys.senders import wait_until_true
from tests.journeys.sockets import CLOSE, FINAL, PING, PONG, TEXT, Socket, accept_key, frame, handshake
from tests.journeys.stream import open_narrow
from tests.journeys.wire import Wire, head
from tests.servers.process import PATIENCE_SECONDS

MESSAGE = b"id: e.1\nevent: a\ndata: {}\n\n"


class SocketApp:
    """An app that accepts each handshake with a new stream."""

    def __init__(self, upstream: Upstream) -> None:
        self.streams = Streams(20_000, 32 << 20)
        self.opened: list[Stream] = []
        self.received: list[Received] = upstream.received
        self._notices: list[tuple[int, str]] = []
        upstream.answer = self.answer

    async def answer(self, request: Received, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stream = self.streams.open()
        stream.hand_over()
        self.opened.append(stream)
        accept = b""
        if request.values("x-fechatter-upgrade") == ["websocket"]:
            accept = b"sec-websocket-accept: %b\r\n" % accept_key(request.values("sec-websocket-key")[0])
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 0\r\n%b"
            b"x-fechatter-stream: %d\r\n\r\n" % (accept, stream.id)
        )
        await writer.drain()

    async def notice(self, kind: str) -> int:
        """Wait for a notice of this kind; return its stream."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                self._notices += self.streams.notices()
                for each in self._notices:
                    if each[1] == kind:
                        self._notices.remove(each)
                        return each[0]
                await asyncio.sleep(0.001)


@pytest.fixture
def app(upstream: Upstream) -> SocketApp:
    return SocketApp(upstream)


@pytest.fixture
def door(start_gateway: StartGateway, app: SocketApp) -> RunningGateway:
    return start_gateway(live=app.streams)


def taken(stream: Stream) -> list[bytes]:
    """Take every message that waits."""
    return list(iter(stream.receive, None))


async def test_blocks_are_messages_in_their_order(door: RunningGateway, app: SocketApp) -> None:
    socket = await Socket.open(door.port)
    for number in range(500):
        app.opened[0].offer(b"id: e.%d\nevent: a\ndata: %d\n\n" % (number, number))
    for number in range(500):
        assert await socket.message() == {"id": f"e.{number}", "event": "a", "data": number}
    large = b"x" * 100_000
    app.opened[0].offer(b'data: "%b"\n\n' % large)
    assert await socket.message() == {"data": large.decode()}


async def test_only_a_handshake_is_marked_and_only_an_accepted_one_is_upgraded(
    door: RunningGateway, app: SocketApp
) -> None:
    forged = {"x-fechatter-upgrade": "websocket", "sec-websocket-key": "x"}
    wire = await Wire.open(door.port)
    wire.writer.write(head("GET", "/ws", forged))
    assert (await wire.answer_head())[0] == 200
    assert app.received[-1].values("x-fechatter-upgrade") == []
    wire = await Wire.open(door.port)
    asked = {**handshake(), "connection": "close, x-fechatter-upgrade, upgrade", "x-fechatter-upgrade": "no"}
    wire.writer.write(head("GET", "/ws", asked))
    assert (await wire.answer_head())[0] == 101
    assert app.received[-1].values("x-fechatter-upgrade") == ["websocket"]
    for other in ({"upgrade": "h2c"}, {"connection": "close"}):
        wire = await Wire.open(door.port)
        wire.writer.write(head("GET", "/ws", {**handshake(), **other}))
        assert (await wire.answer_head())[0] == 200


async def test_an_upgrade_that_the_app_does_not_accept_is_an_ordinary_request(
    door: RunningGateway, upstream: Upstream
) -> None:
    async def answer(_request: Received, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        await writer.drain()

    upstream.answer = answer
    wire = await Wire.open(door.port)
    for _ in range(2):
        answered = await wire.request("GET", "/ws", b"", handshake())
        assert (answered.status, answered.body) == (200, b"ok")


async def test_a_socket_reads_no_more_while_messages_wait_for_the_app(door: RunningGateway, app: SocketApp) -> None:
    socket = await Socket.open(door.port)
    stream = app.opened[0]
    for number in range(1_000):
        socket.send(number)
    assert await app.notice("received") == stream.id
    await wait_until_true(lambda: stream.received == 32)
    found: list[bytes] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(found) < 1_000:
            assert stream.received <= 32
            found += taken(stream)
            await asyncio.sleep(0)
    assert found == [b"%d" % number for number in range(1_000)]
    socket.send("next")
    assert await app.notice("received") == stream.id
    assert taken(stream) == [b'"next"']


async def test_large_messages_wait_one_by_one(door: RunningGateway, app: SocketApp) -> None:
    socket = await Socket.open(door.port)
    stream = app.opened[0]
    large = b"x" * (64 << 10)
    for _ in range(4):
        socket.raw(frame(FINAL | TEXT, large))
    found: list[bytes] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(found) < 4:
            assert stream.received <= 1
            found += taken(stream)
            await asyncio.sleep(0)
    assert found == [large] * 4


async def test_frames_directly_behind_the_handshake_are_not_lost(door: RunningGateway, app: SocketApp) -> None:
    asked = handshake()
    wire = await Wire.open(door.port)
    first = frame(FINAL | TEXT, b'"first"')
    wire.writer.write(head("GET", "/ws", asked) + first + first[:5])
    assert (await wire.answer_head())[0] == 101
    wire.writer.write(first[5:])
    await wait_until_true(lambda: app.opened[0].received == 2)
    assert taken(app.opened[0]) == [b'"first"'] * 2


async def test_a_pipelined_request_is_a_wrong_frame(door: RunningGateway, app: SocketApp) -> None:
    wire = await Wire.open(door.port)
    wire.writer.write(head("GET", "/ws", handshake()) + head("GET", "/next", {}))
    assert (await wire.answer_head())[0] == 101
    socket = Socket(wire, {})
    assert await socket.closed() == 1002
    assert [one.target for one in app.received] == ["/ws"]


async def test_the_app_ends_a_stream_with_a_reason_and_a_code(door: RunningGateway, app: SocketApp) -> None:
    socket = await Socket.open(door.port)
    app.opened[0].offer(MESSAGE)
    app.opened[0].end(CLOSING, close_code=4401)
    assert [(await socket.message())["event"] for _ in range(2)] == ["a", "closing"]
    assert await socket.closed() == 4401
    assert await app.notice("left") == app.opened[0].id
    silent = await Socket.open(door.port)
    app.opened[1].end(b"")
    assert await silent.closed() == 1001
    assert door.counters.abandoned == 0


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4999])
async def test_a_client_that_closes_gets_its_code_back(door: RunningGateway, app: SocketApp, code: int) -> None:
    socket = await Socket.open(door.port)
    socket.raw(frame(FINAL | CLOSE, code.to_bytes(2) + "bye 👋".encode()))
    assert await socket.closed() == code
    assert await app.notice("left") == app.opened[0].id
    assert door.counters.abandoned == 0


async def test_a_client_that_leaves_is_reported_once(door: RunningGateway, app: SocketApp) -> None:
    socket = await Socket.open(door.port)
    await socket.wire.abort()
    assert await app.notice("left") == app.opened[0].id
    app.opened[0].offer(MESSAGE)
    assert (app.opened[0].pending, app.streams.notices()) == (0, [])


async def test_messages_that_arrived_before_a_client_left_can_be_taken(door: RunningGateway, app: SocketApp) -> None:
    socket = await Socket.open(door.port)
    socket.raw(frame(FINAL | TEXT, b'"last"') + frame(FINAL | CLOSE, b"\x03\xe8"))
    assert await socket.closed() == 1000
    assert await app.notice("left") == app.opened[0].id
    assert taken(app.opened[0]) == [b'"last"']


async def test_pings_are_answered_between_blocks_but_a_client_that_reads_nothing_gets_only_some(
    door: RunningGateway, app: SocketApp
) -> None:
    socket = await Socket.open(door.port, wire=await open_narrow(door.port, 4096))
    for _ in range(50):
        app.opened[0].offer(b'data: "%b"\n\n' % (b"x" * 10_000))
    for number in range(2_000):
        socket.raw(frame(FINAL | PING, b"%d" % number))
    socket.raw(frame(FINAL | CLOSE, b"\x03\xe8"))
    pongs = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (received := await socket.frame())[0] != CLOSE:
            pongs += [int(received[1])] if received[0] == PONG else []
    assert pongs == sorted(set(pongs))


async def test_a_websocket_over_tls(start_gateway: StartGateway, app: SocketApp, certificates: Certificates) -> None:
    door = start_gateway(certificates, live=app.streams)
    socket = await Socket.open(door.port, tls=client())
    app.opened[0].offer(MESSAGE)
    assert await socket.message() == {"id": "e.1", "event": "a", "data": {}}
    socket.send("hello")
    await wait_until_true(lambda: app.opened[0].received == 1)
    app.opened[0].end(CLOSING, close_code=4408)
    assert await socket.closed() == 4408


async def test_a_client_that_reads_nothing_is_reset_after_its_time(start_gateway: StartGateway, app: SocketApp) -> None:
    door = start_gateway(live=app.streams, write_seconds=1)
    socket = await Socket.open(door.port, wire=await open_narrow(door.port, 4096))
    for _ in range(100):
        app.opened[0].offer(b'data: "%b"\n\n' % (b"x" * 60_000))
    assert await app.notice("left") == app.opened[0].id
    assert door.counters.stalled == 1
    socket.wire.close()
