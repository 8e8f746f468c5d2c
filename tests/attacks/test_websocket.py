"""Attacks through a WebSocket: other sites, wrong frames, floods, and sockets that only half end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import psutil
import pytest

from tests.attacks.test_floods import wait_for_value
from tests.journeys.client import Client, colleague, owner
from tests.journeys.metrics import read_metrics
from tests.journeys.server import GATEWAY, ServerProcess
from tests.journeys.sockets import BINARY, CLOSE, FINAL, PING, TEXT, NotUpgraded, Socket, frame
from tests.journeys.stream import open_narrow
from tests.journeys.wire import OPENED, Wire

TOKEN = "reads-the-metrics"
LIMIT = 64 * 1024
gateway_only = pytest.mark.skipif(GATEWAY != "on", reason="Granian ends such connections without a code")


@pytest.fixture(scope="module")
def counted_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of which only the tests of this module open connections."""
    folder = tmp_path_factory.mktemp("counted")
    settings = {"signup": "open", "heartbeat_seconds": "1", "metrics_token": TOKEN}
    with ServerProcess(folder, cors_origins="https://allowed.example", **settings) as process:
        yield process


@pytest.fixture
async def ada(counted_server: ServerProcess) -> AsyncIterator[Client]:
    """A person whose server has no streams and sockets left over after the test."""
    found = await owner(counted_server)
    yield found
    for wire in list(OPENED):
        wire.close()
    counting = Client(counted_server)

    async def left_over() -> int:
        """Return the number of open streams and connections, without that of this request."""
        streams = (await read_metrics(counting, TOKEN))["fechatter_streams"]
        sockets = psutil.Process(counted_server.process.pid).net_connections("tcp")
        open_now = [one for one in sockets if one.status != "LISTEN" and one.laddr.port == counted_server.port]
        return int(streams) + len(open_now) - 1

    await wait_for_value(left_over, 0)
    assert "Traceback" not in counted_server.output


async def connect(person: Client, wire: Wire | None = None, **headers: str) -> Socket:
    asked = {"authorization": f"Bearer {person.token}", **headers}
    socket = await Socket.open(person.server.port, "/ws", asked, wire=wire)
    assert (await socket.message())["event"] == "hello"
    return socket


async def test_pages_of_other_sites_cannot_connect(ada: Client) -> None:
    own = f"http://127.0.0.1:{ada.server.port}"
    # The client sends `Host: 127.0.0.1` without the port.
    for origin in ("https://evil.example", "null", own, "http://127.0.0.1.evil.example", "https://allowed.example:444"):
        with pytest.raises(NotUpgraded) as refused:
            await connect(ada, origin=origin)
        assert (refused.value.answer.status, refused.value.answer.code) == (403, "cross_site"), origin
        made = (await ada.post("/api/stream-ticket"))["ticket"]
        for _ in range(2):  # a refused handshake uses up no ticket
            with pytest.raises(NotUpgraded) as refused:
                await Socket.open(ada.server.port, f"/ws?ticket={made}", {"origin": origin})
            assert refused.value.answer.code == "cross_site"
    for origin in ("http://127.0.0.1", "https://allowed.example"):
        socket = await connect(ada, origin=origin)
        socket.wire.close()


@pytest.mark.parametrize("name", ["access_token", "token", "authorization"])
async def test_a_token_in_the_url_is_refused_and_not_logged(ada: Client, name: str) -> None:
    with pytest.raises(NotUpgraded) as refused:
        await Socket.open(ada.server.port, f"/ws?{name}={ada.token}")
    assert refused.value.answer.status in (401, 422)
    made = (await ada.post("/api/stream-ticket"))["ticket"]
    socket = await Socket.open(ada.server.port, f"/ws?ticket={made}")
    socket.wire.close()
    output = ada.server.output
    assert ada.token is not None
    assert ada.token not in output
    assert made not in output


WRONG: list[tuple[str, bytes, int]] = [
    ("a reserved bit", frame(FINAL | TEXT | 0x40, b"{}"), 1002),
    ("all reserved bits", frame(FINAL | TEXT | 0x70, b"{}"), 1002),
    ("an unknown opcode", frame(FINAL | 3, b"{}"), 1002),
    ("no mask", frame(FINAL | TEXT, b"{}", masked=False), 1002),
    ("a continuation of nothing", frame(FINAL, b"{}"), 1002),
    ("a message within a message", frame(TEXT, b"{") + frame(FINAL | TEXT, b"}"), 1002),
    ("a fragmented ping", frame(PING, b""), 1002),
    ("a large ping", frame(FINAL | PING, b"x" * 126), 1002),
    ("a close frame of one byte", frame(FINAL | CLOSE, b"\x03"), 1002),
    ("a reserved close code", frame(FINAL | CLOSE, (1005).to_bytes(2)), 1002),
    ("binary", frame(FINAL | BINARY, b"{}"), 1003),
    ("invalid UTF-8", frame(FINAL | TEXT, b"\xff"), 1007),
    ("half of a character at the end", frame(TEXT, b"\xc3") + frame(FINAL, b""), 1007),
    ("a large message", frame(FINAL | TEXT, b"x" * (LIMIT + 1)), 1009),
    ("a large length", bytes([FINAL | TEXT, 0xFF]) + (1 << 40).to_bytes(8) + b"mask", 1009),
    ("large fragments", frame(TEXT, b"x" * LIMIT) + frame(0, b"x"), 1009),
    ("endless fragments", frame(TEXT) + frame(0) * LIMIT, 1009),
]


@gateway_only
@pytest.mark.parametrize(("wrong", "code"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
async def test_a_wrong_frame_ends_the_connection_with_its_code(ada: Client, wrong: bytes, code: int) -> None:
    socket = await connect(ada)
    socket.raw(wrong)
    assert await socket.closed() == code


@pytest.mark.parametrize(("wrong", "code"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
async def test_a_wrong_frame_harms_nobody_else(ada: Client, wrong: bytes, code: int) -> None:
    chat = (await ada.chat("public_channel"))["id"]
    other = await connect(ada)
    socket = await connect(ada)
    socket.raw(wrong)
    socket.wire.close()
    await ada.send(chat, f"after {code}")
    assert (await other.until("message.created"))["data"]["data"]["message"]["content"] == f"after {code}"
    other.wire.close()


async def test_a_message_in_fragments_of_one_byte_with_pings_between_is_understood(ada: Client) -> None:
    socket = await connect(ada)
    text = b'{"type": "ack", "cursor": "a.1", "ref": "\xf0\x9f\x98\x80"}'
    parts = [
        frame(0 if index else TEXT, text[index : index + 1]) + frame(FINAL | PING, b"?") for index in range(len(text))
    ]
    for byte in b"".join([*parts, frame(FINAL)]):
        socket.raw(bytes([byte]))
    assert (await socket.until("done"))["data"] == {"ref": "\U0001f600"}
    socket.wire.close()


async def test_sockets_that_only_half_end_leave_nothing_behind(ada: Client) -> None:
    """The fixture checks that nothing is left over."""
    halves = [b"", frame(FINAL | TEXT, b"x" * 100)[:-1], frame(TEXT, b"{"), b"\x81", frame(FINAL | CLOSE, b"\x03\xe8")]
    for half in halves:
        socket = await connect(ada)
        socket.raw(half)
        socket.wire.writer.write_eof()
        await socket.closed()
        ended = await connect(ada)
        ended.raw(half)
        await ended.wire.abort()
        silent = await connect(ada)
        silent.raw(frame(FINAL | CLOSE, b"\x03\xe8"))  # and it never ends its own side
        assert await silent.closed() == 1000


async def test_a_client_that_never_reads_its_answers_is_stopped_and_delays_nobody(ada: Client) -> None:
    chat = (await ada.chat("public_channel"))["id"]
    wire = await open_narrow(ada.server.port, 4096)
    deaf = await connect(ada, wire)
    memory = ada.server.memory_bytes()
    order = frame(FINAL | TEXT, b'{"type": "x", "ref": "%b"}' % (b"r" * 64))
    for _ in range(200):
        if not wire.writer.is_closing():  # it is disconnected as soon as too much waits for it
            deaf.raw(order * 100)
        await ada.send(chat, "meanwhile")
    assert ada.server.memory_bytes() - memory < 64 << 20
    await wire.abort()


async def test_a_flood_of_messages_is_limited_like_requests_and_delays_nobody(
    limited_server: ServerProcess,
) -> None:
    ada = await owner(limited_server)
    bob = await colleague(ada)
    chat = (await ada.chat("private_channel", bob))["id"]
    socket = await connect(ada)
    answered = []

    async def flood() -> None:
        for number in range(400):
            socket.send({"type": "send", "chat_id": chat, "content": str(number), "ref": str(number)})
        while len(answered) < 400:
            message = await socket.message()
            if message.get("event") in ("sent", "problem"):
                answered.append(message)

    flooding = asyncio.create_task(flood())
    for _ in range(10):
        assert (await bob.ask("POST", f"/api/chat/{chat}/messages", {"content": "hello"})).status == 201
    await flooding
    problems = [message["data"] for message in answered if message["event"] == "problem"]
    assert [int(message["data"]["ref"]) for message in answered] == list(range(400))
    assert len(answered) - len(problems) >= 60
    assert {(problem["status"], problem["code"]) for problem in problems} == {(429, "rate_limited")}
    assert all(problem["retry_after_seconds"] > 0 for problem in problems)
    socket.wire.close()


async def test_a_removed_member_can_neither_read_nor_send_over_an_open_socket(ada: Client) -> None:
    bob = await colleague(ada)
    chat = (await ada.chat("private_channel", bob))["id"]
    socket = await connect(bob)
    await ada.call("DELETE", f"/api/chat/{chat}/members/{bob.id}")
    await socket.until("member.left")
    await ada.send(chat, "without Bob")
    socket.send({"type": "send", "chat_id": chat, "content": "from outside", "ref": "s"})
    seen = []
    while (message := await socket.message()).get("event") != "problem":
        seen.append(message.get("event"))
    assert (message["data"]["status"], message["data"]["code"]) == (404, "not_found")
    assert "message.created" not in seen
    assert [message["content"] for message in await ada.history(chat)] == ["without Bob"]
    socket.wire.close()


async def test_a_disabled_person_can_send_nothing_more(ada: Client) -> None:
    bob = await colleague(ada)
    chat = (await ada.chat("private_channel", bob))["id"]
    socket = await connect(bob)
    await ada.call("PATCH", f"/api/users/{bob.id}", {"disabled": True})
    socket.send({"type": "send", "chat_id": chat, "content": "still here?"})
    assert await socket.closed() == 4401
    assert await ada.history(chat) == []


async def test_messages_count_as_requests_of_their_routes(ada: Client) -> None:
    chat = (await ada.chat("public_channel"))["id"]
    socket = await connect(ada)
    name = 'fechatter_requests_total{route="/api/chat/{chat_id}/read",method="PUT",status="204"}'
    before = (await read_metrics(ada, TOKEN)).get(name, 0)
    await ada.send(chat, "hello")
    socket.send({"type": "read", "chat_id": chat, "number": 1, "ref": "r"})
    await socket.until("done")
    assert (await read_metrics(ada, TOKEN))[name] >= before + 1
