"""A stand-alone gateway: routes, filters, headers, tokens, TLS, reload, inspection and stop."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from pathlib import Path

import pytest

from fechatter.native import TOKEN_ISSUER
from tests.gateway.alone import QUICK, GatewayProcess, Start, Switchable
from tests.gateway.upstream import Received
from tests.journeys.client import owner
from tests.journeys.senders import wait_until_true
from tests.journeys.server import ServerProcess
from tests.journeys.stream import Stream
from tests.journeys.wire import Wire, head
from tests.servers.certificates import Certificates, trust_any_certificate

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n3\r\n:\n\n\r\n"
KEY = "a key of access tokens with 32 bytes or more"


async def test_the_longest_prefix_chooses_the_upstreams(start: Start, switchable: list[Switchable]) -> None:
    a, b, c = switchable
    gateway = await start(1, "--route", f"/api={b.url}", "--route", f"/api/chat={c.url}")
    for path, name in [("/", a), ("/apis", a), ("/api", b), ("/api/x", b), ("/api/chat/7", c), ("/%61pi/x", b)]:
        assert (await gateway.ask(path=path)).body == name.name.encode(), path


async def test_a_path_without_a_route_is_not_found(start: Start, switchable: list[Switchable]) -> None:
    gateway = await start(0, "--route", f"/api={switchable[0].url}")
    answer = await gateway.ask(path="/other")
    assert (answer.status, answer.code) == (404, "not_found")
    assert switchable[0].received == []


@pytest.mark.parametrize("path", ["/metrics", "/metrics/x", "/%6Detrics", "//metrics", "/a/../metrics", "/./metrics"])
async def test_denied_paths_reach_no_upstream_however_they_are_written(
    start: Start, switchable: list[Switchable], path: str
) -> None:
    gateway = await start(1, "--deny", "/metrics", "--deny", "DELETE /api")
    assert (await gateway.ask(path=path)).code == "not_found"
    assert (await gateway.ask("DELETE", "/api/chat/1")).code == "not_found"
    assert switchable[0].received == []
    assert (await gateway.ask(path="/metricsx")).status == (await gateway.ask(path="/api/chat/1")).status == 200


FORGED = {
    "x-forwarded-for": "203.0.113.9",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "evil.example",
    "forwarded": "for=203.0.113.9",
    "x-real-ip": "203.0.113.9",
    "x-fechatter-peer": "203.0.113.9:1",
}


@pytest.mark.parametrize(
    ("trusted", "expected"),
    [
        ("", ("127.0.0.1", "http", "127.0.0.1")),
        ("127.0.0.0/8", ("203.0.113.9, 127.0.0.1", "https", "evil.example")),
    ],
)
async def test_an_upstream_learns_about_the_client_only_from_trusted_proxies(
    start: Start, switchable: list[Switchable], trusted: str, expected: tuple[str, str, str]
) -> None:
    gateway = await start(1, trusted_proxies=trusted)
    assert (await gateway.ask(headers=FORGED)).status == 200
    received = switchable[0].received[0]
    assert tuple(received.values(f"x-forwarded-{name}")[0] for name in ("for", "proto", "host")) == expected
    for name in ("forwarded", "x-real-ip", "x-fechatter-peer"):
        assert received.values(name) == []


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n"


@pytest.mark.parametrize(
    "framing",
    [
        b"content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"transfer-encoding: chunked\r\ncontent-length: 40\r\n\r\n0\r\n\r\n",
        b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"transfer-encoding : chunked\r\n\r\n0\r\n\r\n",
        b"transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n",
        b"content-length: 0\r\ncontent-length: 36\r\n\r\n",
        b"content-length: +0\r\n\r\n",
        b"x: y\r\n content-length: 36\r\n\r\n",
        b"x: y\ncontent-length: 36\r\n\r\n",
    ],
)
async def test_nothing_is_smuggled_over_the_hop(start: Start, switchable: list[Switchable], framing: bytes) -> None:
    gateway = await start(1)
    wire = await Wire.open(gateway.port)
    answer = await wire.raw(b"POST / HTTP/1.1\r\nhost: a\r\n" + framing + SMUGGLED)
    assert (answer.status, answer.headers["connection"]) == (400, "close")
    assert await wire.reader.read() == b""
    assert switchable[0].received == []


async def test_chunks_arrive_as_one_request(start: Start, switchable: list[Switchable]) -> None:
    gateway = await start(1)
    wire = await Wire.open(gateway.port)
    size = b"%x" % len(SMUGGLED)
    sent = head("POST", "/", {"transfer-encoding": "chunked", "connection": "transfer-encoding, x", "x": "y"})
    answer = await wire.raw(sent + size + b"\r\n" + SMUGGLED + b"\r\n0\r\n\r\n")
    assert answer.status == 200
    assert [(each.target, each.body, each.values("x")) for each in switchable[0].received] == [("/", SMUGGLED, [])]


async def test_invalid_tokens_are_refused_early_if_the_key_is_known(
    start: Start, switchable: list[Switchable], tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    gateway = await start(1, "--token-key-file", str(file))
    forged = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl"
    answer = await gateway.ask(headers={"authorization": f"Bearer {forged}"})
    assert (answer.status, answer.code, switchable[0].received) == (401, "unauthorized", [])
    assert "www-authenticate" in answer.headers
    # Another secret, such as that of the metrics, is for the upstream.
    assert (await gateway.ask(headers={"authorization": "Bearer something"})).status == 200
    assert (await gateway.ask()).status == 200


async def test_without_the_key_every_token_is_forwarded(start: Start, switchable: list[Switchable]) -> None:
    gateway = await start(1)
    assert (await gateway.ask(headers={"authorization": f"Bearer eyJ.{TOKEN_ISSUER}.x"})).status == 200
    assert len(switchable[0].received) == 1


async def test_tls_on_both_sides(start: Start, switchable: list[Switchable], tmp_path: Path) -> None:
    files = Certificates(tmp_path)
    files.renew()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.chain, files.key)
    async with await asyncio.start_server(switchable[0].upstream.serve, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        gateway = await start(
            0,
            *("--upstream", f"https://localhost:{port}"),
            routes=f'{QUICK}upstream_ca = "{files.chain}"',
            tls_certificate=str(files.chain),
            tls_key=str(files.key),
        )
        wire = await Wire.open(gateway.port, trust_any_certificate())
        assert (await wire.request("GET", "/")).body == b"a"
        assert switchable[0].received[0].values("x-forwarded-proto") == ["https"]
        await wire.abort()


async def test_an_https_upstream_with_an_unknown_certificate_is_not_used(
    start: Start, switchable: list[Switchable], tmp_path: Path
) -> None:
    known, other = Certificates(tmp_path), Certificates(tmp_path, chain="other.pem", key="other.key")
    known.renew()
    other.renew()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(other.chain, other.key)
    async with await asyncio.start_server(switchable[0].upstream.serve, "127.0.0.1", 0, ssl=context) as server:
        url = f"https://localhost:{server.sockets[0].getsockname()[1]}"
        gateway = await start(0, "--upstream", url, routes=f'{QUICK}upstream_ca = "{known.chain}"')
        assert (await gateway.ask()).code == "upstream_unavailable"
        assert switchable[0].received == []


async def test_a_reload_reads_the_routes_again(start: Start, switchable: list[Switchable]) -> None:
    gateway = await start(0, routes=f'upstreams = ["{switchable[0].url}"]\n{QUICK}')
    assert (await gateway.ask()).body == b"a"
    gateway.file.write_text(f'upstreams = ["{switchable[1].url}"]\ndeny = ["/x"]\n{QUICK}')
    await gateway.reload("reloaded: routes to 1 upstreams")
    # The gateway's own thread takes the routes a moment later.
    while (await gateway.ask()).body != b"b":
        pass
    assert (await gateway.ask(path="/x")).status == 404
    gateway.file.write_text("upstreams = [7]")
    await gateway.reload("not reloaded: ")
    assert (await gateway.ask()).body == b"b"
    assert [each["address"] for each in (await gateway.health())["upstreams"]] == [
        f"tcp:127.0.0.1:{switchable[1].port}"
    ]


async def test_a_reload_that_fails_changes_nothing(start: Start, switchable: list[Switchable], tmp_path: Path) -> None:
    files = Certificates(tmp_path)
    files.renew()
    tls = {"tls_certificate": str(files.chain), "tls_key": str(files.key)}
    gateway = await start(0, routes=f'upstreams = ["{switchable[0].url}"]\n{QUICK}', **tls)
    files.chain.write_text("")
    gateway.file.write_text(f'upstreams = ["{switchable[1].url}"]\n{QUICK}')
    await gateway.reload("not reloaded: ")
    assert [each["address"] for each in (await gateway.health())["upstreams"]] == [
        f"tcp:127.0.0.1:{switchable[0].port}"
    ]
    files.renew()
    await gateway.reload("reloaded: routes to 1 upstreams")
    while [each["address"] for each in (await gateway.health())["upstreams"]] != [
        f"tcp:127.0.0.1:{switchable[1].port}"
    ]:
        pass


async def test_metrics_and_health_are_on_a_private_address(start: Start, switchable: list[Switchable]) -> None:
    gateway = await start(1)
    for _ in range(3):
        assert (await gateway.ask()).status == 200
    text = (await gateway.inspect("/metrics")).body.decode()
    label = f'{{upstream="tcp:127.0.0.1:{switchable[0].port}"}}'
    for line in ("fechatter_gateway_proxied_total 3", f"fechatter_gateway_upstream_requests_total{label} 3"):
        assert line in text.splitlines()
    assert f"fechatter_gateway_upstream_healthy{label} 1" in text.splitlines()
    # On the public port, these paths belong to the upstreams.
    assert (await gateway.ask(path="/metrics")).body == b"a"
    assert (await gateway.inspect("/other")).status == 404


async def until_refused(port: int) -> None:
    """Return once no connection is accepted."""
    with contextlib.suppress(ConnectionRefusedError):
        while True:
            await (await Wire.open(port)).abort()


async def test_a_stop_answers_requests_in_progress_and_ends_streams(start: Start, switchable: list[Switchable]) -> None:
    allowed = asyncio.Event()

    async def answer(request: Received, reader: Reader, writer: Writer) -> None:
        if request.target == "/events":
            writer.write(STREAM)
            await reader.read()
        else:
            await allowed.wait()
            await switchable[0].answer(request, reader, writer)

    gateway = await start(1, routes=f'{QUICK}health_path = ""')
    switchable[0].upstream.answer = answer
    stream, waiting = await Wire.open(gateway.port), await Wire.open(gateway.port)
    stream.writer.write(head("GET", "/events", {}))
    assert (await stream.answer_head())[0] == 200
    waiting.writer.write(head("POST", "/", {"content-length": "0"}))
    await wait_until_true(lambda: len(switchable[0].received) == 2)
    stopping = asyncio.ensure_future(gateway.stop())
    await gateway.wait_for_output('"stopping: SIGTERM"')
    await until_refused(gateway.port)
    allowed.set()
    answered = await waiting.answer()
    assert (answered.status, answered.headers["connection"]) == (200, "close")
    assert await stream.chunk() == b":\n\n"
    # The upstream never ends the stream, so the gateway does.
    assert await stream.reader.read() == b""
    assert await stopping == 0


@pytest.mark.parametrize(
    ("arguments", "routes", "reason"),
    [
        ([], "", "at least one upstream"),
        (["--upstream", "ftp://a"], "", "not an upstream"),
        (["--upstream", "http://a:b"], "", "not an upstream"),
        (["--upstream", "a:1", "--route", "x=b:1"], "", "needs a path"),
        (["--upstream", "a:1", "--deny", "delete /x"], "", "not a request to deny"),
        (["--upstream", "a:1"], "unknown = 1", "unknown field"),
        (["--upstream", "a:1"], "failures = 0", "failures must be positive"),
        (["--upstream", "a:1"], "[", "routes.toml"),
    ],
)
async def test_a_plan_that_cannot_be_used_is_refused(
    tmp_path: Path, arguments: list[str], routes: str, reason: str
) -> None:
    gateway = GatewayProcess(tmp_path, *arguments, routes=routes)
    assert await asyncio.to_thread(gateway.expect_failed_start) == 1
    assert reason in gateway.output


async def test_people_use_a_server_through_the_gateway(start: Start, tmp_path: Path) -> None:
    server = ServerProcess(tmp_path, gateway="off", trusted_proxies="127.0.0.1", heartbeat_seconds="1")
    try:
        await asyncio.to_thread(server.start)
        gateway = await start(0, "--upstream", f"http://127.0.0.1:{server.port}")
        token, server.port = server.setup_token, gateway.port
        ada = await owner(server, setup_token=token)
        chat = await ada.chat("private_channel")
        stream: Stream = await ada.listen()
        sent = await ada.send(chat["id"], "Good morning")
        created = (await stream.until("message.created"))[-1]
        assert created.data["data"]["message"]["id"] == sent["id"]
        assert [each["content"] for each in await ada.history(chat["id"])] == ["Good morning"]
    finally:
        server.kill()
