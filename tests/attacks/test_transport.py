"""Attacks on HTTP itself, over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import time

import pytest

from tests.journeys.client import Client, owner
from tests.journeys.server import GATEWAY, ServerProcess
from tests.journeys.wire import Wire, head
from tests.servers.process import PATIENCE_SECONDS

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True, scope="module")
KIBIBYTE = 1024
CLOSED_SECONDS = PATIENCE_SECONDS
UPGRADE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "A" * 22 + "==",
}
STARTED = b"POST /api/signin HTTP/1.1\r\nhost: a\r\n"
SMUGGLED = b"GET /health/simple HTTP/1.1\r\nhost: a\r\n\r\n"


async def read_responses(server: ServerProcess, data: bytes) -> bytes:
    """Return everything that the server sends until it closes, or is silent for 0.5 s after its first response."""
    wire, answered = await Wire.open(server.port), b""
    wire.writer.write(data)
    try:
        while part := await asyncio.wait_for(wire.reader.read(1 << 16), 0.5 if answered else PATIENCE_SECONDS):
            answered += part
    except (TimeoutError, ConnectionError):
        pass
    wire.close()
    return answered


def statuses(answered: bytes) -> list[int]:
    return [int(part[:3]) for part in answered.split(b"HTTP/1.1 ")[1:]]


@pytest.fixture(autouse=True)
async def _server_stays_healthy(server: ServerProcess) -> None:
    """Check before each test that the server is healthy and has logged no traceback."""
    assert await Client(server).get("/health/simple") == {"status": "ok"}
    assert "Traceback" not in server.output


@pytest.mark.parametrize("path", ["/", "/ws", "/events", "/api/ws"])
@pytest.mark.parametrize("protocol", [b"\xff\xfe\xc3\x28", "żółć".encode(), b"a" * 9000, b"chat, \x80"])
async def test_a_malformed_websocket_protocol_is_refused_and_harms_nothing(
    server: ServerProcess, path: str, protocol: bytes
) -> None:
    wire = await Wire.open(server.port)
    answer = await wire.raw(head("GET", path, UPGRADE)[:-2] + b"sec-websocket-protocol: " + protocol + b"\r\n\r\n")
    assert answer.status == {"/": 200, "/events": 401, "/ws": 401}.get(path, 404)
    if GATEWAY == "on":  # Granian adds them to refusals too, which have no effect without the status 101
        assert not {"upgrade", "sec-websocket-accept"} & set(answer.headers)


@pytest.mark.parametrize(
    "lie",
    [
        b"content-length: 2\r\ncontent-length: 40\r\n\r\n{}",
        b"content-length: 2, 2\r\n\r\n{}",
        b"content-length: -2\r\n\r\n{}",
        b"content-length: +2\r\n\r\n{}",
        b"content-length: 0x2\r\n\r\n{}",
        b"content-length: 99999999999999999999999\r\n\r\n{}",
        b"content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n",
        b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"content-length\t: 2\r\n\r\n{}",
        b"content-length: 2\r\n \r\n{}",
        b"transfer-encoding : chunked\r\n\r\n0\r\n\r\n",
        b" folded: header\r\n\r\n",
        b"x: a\rb\r\n\r\n",
        b"x: a\0b\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}",
        b"transfer-encoding: chunked\r\n\r\n-1\r\n{}",
        b"transfer-encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n",
    ],
)
async def test_a_false_content_length_gets_one_refusal_and_smuggles_no_request(
    server: ServerProcess, lie: bytes
) -> None:
    assert statuses(await read_responses(server, STARTED + lie + SMUGGLED)) == [400]


async def test_a_length_that_covers_the_next_request_makes_it_part_of_the_body(server: ServerProcess) -> None:
    answered = await read_responses(server, STARTED + b"content-length: %d\r\n\r\n{}" % (2 + len(SMUGGLED)) + SMUGGLED)
    assert statuses(answered) in ([400], [422])
    assert b'"status":"ok"' not in answered


@pytest.mark.parametrize("first", [b"content-length: 2\r\n", b"transfer-encoding: chunked\r\n"])
async def test_a_request_with_two_framings_is_the_last_one(server: ServerProcess, first: bytes) -> None:
    framings = first + (b"content-length: 2\r\n" if b"chunked" in first else b"transfer-encoding: chunked\r\n")
    answered = await read_responses(server, STARTED + framings + b"\r\n2\r\n{}\r\n0\r\n\r\n" + SMUGGLED)
    # The gateway refuses it. Granian's parser ignores the length, but closes the connection.
    assert statuses(answered) in ([400], [422])


async def test_compressed_bodies_are_never_inflated(server: ServerProcess) -> None:
    ada = await owner(server)
    chat = (await ada.chat("public_channel"))["id"]
    bomb = gzip.compress(b'{"content": "' + b"a" * (40 << 20) + b'"}')
    began = time.process_time()
    gzip.decompress(bomb)
    inflating = time.process_time() - began
    before, computed = server.memory_bytes(), server.cpu_seconds()
    for path in ("/api/signin", f"/api/chat/{chat}/messages", f"/api/chat/{chat}/messages/batch"):
        for encoding in ("gzip", "deflate", "br", "zstd", "gzip, gzip"):
            answer = await ada.ask("POST", path, raw=bomb, headers={"content-encoding": encoding})
            assert (answer.status, answer.code) in ((400, "malformed_json"), (400, "malformed_utf8"))
    assert server.memory_bytes() - before < 40 << 20
    assert server.cpu_seconds() - computed < 3 * 5 * inflating / 2


@pytest.mark.parametrize(
    "name",
    ["authorization", "idempotency-key", "content-type", "event-cursor", "last-event-id", "x-request-id", "cookie"],
)
async def test_headers_with_arbitrary_bytes_are_refused_or_ignored(server: ServerProcess, name: str) -> None:
    ada = await owner(server)
    chat = (await ada.chat("public_channel"))["id"]
    for value in (b"\xff\xfe", b"\xc3\x28", b"Bearer \x80", b"", b"\x09"):
        for method, path, body in (
            ("POST", f"/api/chat/{chat}/messages", b'{"content": "a"}'),
            ("GET", "/api/chat", b""),
        ):
            own = {} if name == "authorization" else {"authorization": f"Bearer {ada.token}"}
            sent = (
                head(method, path, {"content-length": str(len(body)), **own})[:-2]
                + name.encode()
                + b": "
                + value
                + b"\r\n\r\n"
                + body
            )
            answer = await (await Wire.open(server.port)).raw(sent)
            assert answer.status in (200, 201, 400, 401, 415, 422), (value, method)


@pytest.mark.parametrize(
    ("request_head", "expected"),
    [
        (b"GET / HTTP/1.1\r\nhost: a\r\n" + b"x: y\r\n" * 90 + b"\r\n", 200),
        (b"GET / HTTP/1.1\r\nhost: a\r\n" + b"x: y\r\n" * 200 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"y" * 32 * KIBIBYTE + b"\r\n\r\n", 200),
        (b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"y" * 128 * KIBIBYTE + b"\r\n\r\n", 431),
        (b"GET /?" + b"y" * 16 * KIBIBYTE + b" HTTP/1.1\r\nhost: a\r\n\r\n", 200),
        (b"GET /?" + b"y" * 70_000 + b" HTTP/1.1\r\nhost: a\r\n\r\n", 414),
    ],
)
async def test_request_heads_are_limited_in_bytes_and_lines(
    server: ServerProcess, request_head: bytes, expected: int
) -> None:
    wire = await Wire.open(server.port)
    assert (await wire.raw(request_head)).status == expected


@pytest.mark.prove
async def test_requests_that_arrive_very_slowly_are_closed(server: ServerProcess) -> None:
    async def seconds_until_closed(beginning: bytes, every: float) -> float:
        wire, began = await Wire.open(server.port), time.monotonic()
        wire.writer.write(beginning)
        while not wire.reader.at_eof():
            wire.writer.write(b"a")
            try:
                await asyncio.wait_for(wire.reader.read(1 << 16), every)
            except TimeoutError:
                pass
            except ConnectionError:
                break
        return time.monotonic() - began

    beginnings = [b"G", b"GET / HTTP/1.1\r\nx: ", STARTED + b"content-length: 60000\r\n\r\n"]
    in_head, in_line, in_body = await asyncio.gather(
        *(seconds_until_closed(beginning, 0.5) for beginning in beginnings)
    )
    assert max(in_head, in_line) < CLOSED_SECONDS
    assert in_body < CLOSED_SECONDS + 30


async def test_multipart_forms_are_refused(server: ServerProcess) -> None:
    ada = await owner(server)
    chat = (await ada.chat("public_channel"))["id"]
    body = b'--x\r\ncontent-disposition: form-data; name="content"; filename="../../etc/passwd"\r\n\r\na\r\n--x--\r\n'
    for path in (
        "/api/signin",
        "/api/signup",
        "/api/chat",
        f"/api/chat/{chat}/messages",
        f"/api/chat/{chat}/messages/batch",
    ):
        for media_type in (
            "multipart/form-data; boundary=x",
            "multipart/form-data",
            "multipart/mixed; boundary=" + "x" * 5000,
        ):
            answer = await ada.ask("POST", path, raw=body, headers={"content-type": media_type})
            assert (answer.status, answer.code) == (415, "unsupported_media_type"), path
