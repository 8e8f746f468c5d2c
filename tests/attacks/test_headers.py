"""Attacks on paths, hosts, tokens and headers, over real sockets."""

from __future__ import annotations

import pytest

from fechatter.web import static
from tests.attacks.test_transport import read_responses, statuses
from tests.journeys.client import Client, owner
from tests.journeys.server import ServerProcess
from tests.journeys.wire import Answer, Wire, head

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True, scope="module")
KIBIBYTE = 1024


@pytest.fixture(autouse=True)
async def _server_stays_healthy(server: ServerProcess) -> None:
    """Check before each test that the server is healthy and has logged no traceback."""
    assert await Client(server).get("/health/simple") == {"status": "ok"}
    assert "Traceback" not in server.output


@pytest.mark.parametrize("ranges", ["0-0", "0-0," * 2000 + "1-1", "-1", "5-2", "0-99999999999999999999", "x"])
async def test_range_requests_get_the_whole_file(server: ServerProcess, ranges: str) -> None:
    asset = next(name for name, file in static.files().items() if not name.endswith(".html"))
    for path in ("/", f"/static/{asset}", "/api/server"):
        whole, part = [
            await Client(server).ask("GET", path, headers=headers) for headers in ({}, {"range": f"bytes={ranges}"})
        ]
        assert (part.status, part.body) == (200, whole.body)
        assert not {"content-range", "accept-ranges"} & set(part.headers)


def _disguised_paths(path: str) -> list[tuple[str, dict[str, str]]]:
    """Return requests that try to reach `path` in the disguise of another path."""
    names = (
        "x-original-url",
        "x-rewrite-url",
        "x-forwarded-path",
        "x-forwarded-prefix",
        "x-forwarded-uri",
        "x-script-name",
    )
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
            answered = await read_responses(
                server, f"{method} {path} HTTP/1.1\r\n".encode() + lines + b"connection: close\r\n\r\n"
            )
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
    for method, path, body in (
        ("GET", "/api/workspace", ""),
        ("POST", f"/api/chat/{chat['id']}/messages", '{"content": "hello"}'),
    ):
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


@pytest.mark.parametrize(
    "host", ["evil.example/x", "evil.example@127.0.0.1", "a b", "a#", "[::1", "evil.example:99999999", "a\\b", ""]
)
async def test_an_invalid_host_never_appears_in_a_link(server: ServerProcess, host: str) -> None:
    ada = await owner(server)
    sent = head("POST", "/api/invitations", {"content-length": "2", "authorization": f"Bearer {ada.token}"})
    answer = await (await Wire.open(server.port)).raw(
        sent.replace(b"host: 127.0.0.1", b"host: " + host.encode()) + b"{}"
    )
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
    "cursor",
    ["a%0A%0Adata:%20injected.1", "%0D%0Adata:%20injected.1", "injected%E2%80%A8.1", "injected.1%0A", "injected"],
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
    answers = [
        await Client(limited_server).ask("GET", path + query)
        for path in ("/events", "/api/users", "/", "/nowhere", "/api/server")
    ]
    answers += [await ada.ask("GET", path + query) for path in ("/api/users", "/", "/nowhere", "/api/events")]
    answers += [
        await ada.ask("GET", path)
        for path in ("/", "/api/server", "/health", "/api/sync", "/api/workspace", "/signin", "/setup")
    ]
    answers += [await ada.ask("GET", f"/static/{name}") for name in static.files()]
    written = b"".join(answer.body for answer in answers).decode("latin-1") + limited_server.output
    assert [secret for secret in secrets if secret in written] == []
