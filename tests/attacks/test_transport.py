"""Attacks on HTTP itself, over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import time

import pytest

from fechatter.web import static
from tests.journeys.client import Client, owner
from tests.journeys.server import ServerProcess
from tests.journeys.wire import Answer, Wire, head
from tests.servers.process import PATIENCE_SECONDS

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True, scope="module")
KIBIBYTE = 1024
CLOSED_SECONDS = PATIENCE_SECONDS
UPGRADE = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13", "sec-websocket-key": "A" * 22 + "=="}
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
async def test_a_malformed_websocket_protocol_is_refused_and_harms_nothing(server: ServerProcess, path: str, protocol: bytes) -> None:
    wire = await Wire.open(server.port)
    answer = await wire.raw(head("GET", path, UPGRADE)[:-2] + b"sec-websocket-protocol: " + protocol + b"\r\n\r\n")
    assert answer.status == {"/": 200, "/events": 401}.get(path, 404)
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
        b"transfer-encoding : chunked\r\n\r\n0\r\n\r\n",
        b" folded: header\r\n\r\n",
        b"x: a\rb\r\n\r\n",
        b"x: a\0b\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}",
        b"transfer-encoding: chunked\r\n\r\n-1\r\n{}",
        b"transfer-encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n",
    ],
)
async def test_a_false_content_length_gets_one_refusal_and_smuggles_no_request(server: ServerProcess, lie: bytes) -> None:
    assert statuses(await read_responses(server, STARTED + lie + SMUGGLED)) == [400]


async def test_a_length_that_covers_the_next_request_makes_it_part_of_the_body(server: ServerProcess) -> None:
    answered = await read_responses(server, STARTED + b"content-length: %d\r\n\r\n{}" % (2 + len(SMUGGLED)) + SMUGGLED)
    assert statuses(answered) in ([400], [422])
    assert b'"status":"ok"' not in answered


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
    "name", ["authorization", "idempotency-key", "content-type", "event-cursor", "last-event-id", "x-request-id", "cookie"]
)
async def test_headers_with_arbitrary_bytes_are_refused_or_ignored(server: ServerProcess, name: str) -> None:
    ada = await owner(server)
    chat = (await ada.chat("public_channel"))["id"]
    for value in (b"\xff\xfe", b"\xc3\x28", b"Bearer \x80", b"", b"\x09"):
        for method, path, body in (("POST", f"/api/chat/{chat}/messages", b'{"content": "a"}'), ("GET", "/api/chat", b"")):
            own = {} if name == "authorization" else {"authorization": f"Bearer {ada.token}"}
            sent = head(method, path, {"content-length": str(len(body)), **own})[:-2] + name.encode() + b": " + value + b"\r\n\r\n" + body
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
async def test_request_heads_are_limited_in_bytes_and_lines(server: ServerProcess, request_head: bytes, expected: int) -> None:
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
    in_head, in_line, in_body = await asyncio.gather(*(seconds_until_closed(beginning, 0.5) for beginning in beginnings))
    assert max(in_head, in_line) < CLOSED_SECONDS
    assert in_body < CLOSED_SECONDS + 30


async def test_multipart_forms_are_refused(server: ServerProcess) -> None:
    ada = await owner(server)
    chat = (await ada.chat("public_channel"))["id"]
    body = b'--x\r\ncontent-disposition: form-data; name="content"; filename="../../etc/passwd"\r\n\r\na\r\n--x--\r\n'
    for path in ("/api/signin", "/api/signup", "/api/chat", f"/api/chat/{chat}/messages", f"/api/chat/{chat}/messages/batch"):
        for media_type in ("multipart/form-data; boundary=x", "multipart/form-data", "multipart/mixed; boundary=" + "x" * 5000):
            answer = await ada.ask("POST", path, raw=body, headers={"content-type": media_type})
            assert (answer.status, answer.code) == (415, "unsupported_media_type"), path


@pytest.mark.parametrize("ranges", ["0-0", "0-0," * 2000 + "1-1", "-1", "5-2", "0-99999999999999999999", "x"])
async def test_range_requests_get_the_whole_file(server: ServerProcess, ranges: str) -> None:
    asset = next(name for name, file in static.files().items() if not name.endswith(".html"))
    for path in ("/", f"/static/{asset}", "/api/server"):
        whole, part = [await Client(server).ask("GET", path, headers=headers) for headers in ({}, {"range": f"bytes={ranges}"})]
        assert (part.status, part.body) == (200, whole.body)
        assert not {"content-range", "accept-ranges"} & set(part.headers)


def _disguised_paths(path: str) -> list[tuple[str, dict[str, str]]]:
    """Return requests that try to reach `path` in the disguise of another path."""
    names = ("x-original-url", "x-rewrite-url", "x-forwarded-path", "x-forwarded-prefix", "x-forwarded-uri", "x-script-name")
    return [
        ("/health/simple", dict.fromkeys(names, path)),
        (f"/health/simple?{path}", {"host": f"a{path}?"}),
        (f"/health/simple/..{path}", {}),
        (f"/static/..{path}", {}),
        (f"/static/%2e%2e{path}", {}),
        (f"/%2e{path}", {}),
        (f"//127.0.0.1{path}", {}),
        (f"http://a/health/simple?x={path}", {"host": f"a:80{path}"}),
        (path.replace("/api", "/API"), {}),
        (path.replace("/users", "%2fusers"), {}),
        (path + "\t", {}),
        (f"{path};/health/simple", {}),
    ]


async def test_neither_host_nor_path_spelling_bypasses_authentication(server: ServerProcess) -> None:
    ada = await owner(server)
    mail = ada.session["user"]["email"].encode()
    for path, headers in _disguised_paths("/api/users/me"):
        for method in ("GET", "POST", "HEAD"):
            lines = b"".join(f"{name}: {value}\r\n".encode() for name, value in {"host": "a", **headers}.items())
            answered = await read_responses(server, f"{method} {path} HTTP/1.1\r\n".encode() + lines + b"connection: close\r\n\r\n")
            assert mail not in answered, path
            assert statuses(answered)[0] in (200, 400, 401, 404, 405), path
    overridden = {"x-http-method-override": "DELETE", "x-method-override": "DELETE"}
    chat = (await ada.chat("public_channel"))["id"]
    assert (await ada.ask("GET", f"/api/chat/{chat}?_method=DELETE", headers=overridden)).status == 200
    assert (await ada.get(f"/api/chat/{chat}"))["archived_at"] is None


async def test_a_token_next_to_another_one_is_refused(server: ServerProcess) -> None:
    ada = await owner(server)
    chat = await ada.chat("private_channel")
    mine, keys = f"authorization: Bearer {ada.token}\r\n", "idempotency-key: a\r\nidempotency-key: b\r\n"
    for method, path, body in (("GET", "/api/workspace", ""), ("POST", f"/api/chat/{chat['id']}/messages", '{"content": "hello"}')):
        began = f"{method} {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {len(body)}\r\nconnection: close\r\n"
        for tokens in (f"{mine}authorization: Bearer x\r\n", f"authorization: Bearer x\r\n{mine}"):
            assert statuses(await read_responses(server, f"{began}{tokens}\r\n{body}".encode())) == [401]
    assert statuses(await read_responses(server, f"{began}{mine}{keys}\r\n{body}".encode())) == [422]
    assert await ada.history(chat["id"]) == []


@pytest.mark.parametrize("hosts", [(), ("a", "a"), ("127.0.0.1", "evil.example")])
async def test_a_request_names_exactly_one_host(server: ServerProcess, hosts: tuple[str, ...]) -> None:
    lines = "".join(f"host: {host}\r\n" for host in hosts).encode()
    for path in (b"/", b"/api/server", b"/health/simple", b"/api/chat/1/messages"):
        answer = await (await Wire.open(server.port)).raw(b"GET " + path + b" HTTP/1.1\r\n" + lines + b"\r\n")
        assert (answer.status, answer.code) == (400, "malformed_host"), path
    # Probes of old proxies use HTTP/1.0, which has no Host header.
    answered = await read_responses(server, b"GET /health/simple HTTP/1.0\r\n" + lines + b"\r\n")
    assert answered[8:13] == (b" 400 " if hosts else b" 200 ")


@pytest.mark.parametrize("host", ["evil.example/x", "evil.example@127.0.0.1", "a b", "a#", "[::1", "evil.example:99999999", "a\\b", ""])
async def test_an_invalid_host_never_appears_in_a_link(server: ServerProcess, host: str) -> None:
    ada = await owner(server)
    sent = head("POST", "/api/invitations", {"content-length": "2", "authorization": f"Bearer {ada.token}"})
    answer = await (await Wire.open(server.port)).raw(sent.replace(b"host: 127.0.0.1", b"host: " + host.encode()) + b"{}")
    assert answer.status == 400 or answer.json["url"].startswith(f"http://127.0.0.1:{server.port}/join#token=")


def check_uncached(answer: Answer) -> None:
    assert answer.headers["cache-control"] == "no-store", answer
    assert "etag" not in answer.headers


async def test_responses_and_streams_are_not_cached(server: ServerProcess) -> None:
    ada = await owner(server)
    chat = (await ada.chat("public_channel"))["id"]
    for path in (
        "/api/chat",
        f"/api/chat/{chat}/messages",
        "/api/sync",
        "/api/users/me",
        "/api/server",
        "/health",
        "/nowhere",
        "/api/chat/9",
    ):
        check_uncached(await ada.ask("GET", path))
        check_uncached(await Client(server).ask("GET", path))
    check_uncached(await ada.ask("POST", f"/api/chat/{chat}/messages", {"content": "a"}))
    check_uncached(await ada.ask("POST", f"/api/chat/{chat}/messages/batch", {"messages": [{"content": "a"}]}))
    stream = await Wire.open(server.port)
    stream.writer.write(head("GET", "/events", {"authorization": f"Bearer {ada.token}"}))
    status, headers = await stream.answer_head()
    assert (status, headers["cache-control"], headers["x-accel-buffering"]) == (200, "no-store", "no")


@pytest.mark.parametrize(
    "cursor", ["a%0A%0Adata:%20injected.1", "%0D%0Adata:%20injected.1", "injected%E2%80%A8.1", "injected.1%0A", "injected"]
)
async def test_request_values_are_never_echoed_into_a_stream(server: ServerProcess, cursor: str) -> None:
    ada = await owner(server)
    own = {"authorization": f"Bearer {ada.token}"}
    by_header = head("GET", "/events", {**own, "last-event-id": "a.1\r\n data: injected"})
    for sent in (head("GET", f"/events?last_event_id={cursor}", own), by_header):
        answered = await read_responses(server, sent)
        assert statuses(answered)[0] in (200, 400, 422)
        assert b"injected" not in answered
    polled = await ada.ask("GET", f"/api/events?after={cursor}")
    assert polled.status in (410, 422)
    assert b"injected" not in polled.body


async def test_secrets_in_urls_are_neither_logged_nor_sent_to_browsers(limited_server: ServerProcess) -> None:
    ada = await owner(limited_server)
    signing = (limited_server.data_dir / "secrets" / "jwt_secret").read_text().strip()
    secrets = [str(ada.token), ada.session["refresh_token"], signing]
    query = f"?access_token={ada.token}&token={secrets[1]}"
    answers = [await Client(limited_server).ask("GET", path + query) for path in ("/events", "/api/users", "/", "/nowhere", "/api/server")]
    answers += [await ada.ask("GET", path + query) for path in ("/api/users", "/", "/nowhere", "/api/events")]
    answers += [await ada.ask("GET", path) for path in ("/", "/api/server", "/health", "/api/sync", "/api/workspace", "/signin", "/setup")]
    answers += [await ada.ask("GET", f"/static/{name}") for name in static.files()]
    said = b"".join(answer.body for answer in answers).decode("latin-1") + limited_server.output
    assert [secret for secret in secrets if secret in said] == []
