"""Pages of other sites get the same headers from the gateway and from the app."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.doors import CHUNKED, Sender
from tests.journeys.server import ServerProcess
from tests.journeys.wire import Answer, Wire, head

OURS, OTHER = "https://tool.example.org", "https://evil.example.org"
GOOD = b'{"content": "Good morning"}'


@pytest.fixture(scope="module", params=[OURS, "*"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder: Path = tmp_path_factory.mktemp("cors")
    with ServerProcess(folder, gateway="on", cors_origins=request.param) as server:
        yield server


@pytest.fixture(scope="module")
def senders() -> dict[int, Sender]:
    return {}


async def sender_of(server: ServerProcess, senders: dict[int, Sender]) -> Sender:
    if server.port not in senders:
        senders[server.port] = await Sender.create(server)
    return senders[server.port]


def cors(answer: Answer) -> dict[str, str]:
    return {
        name: value for name, value in answer.headers.items() if name.startswith("access-control-") or name == "vary"
    }


@pytest.mark.parametrize("origin", ["", OURS, OTHER, "null", "*", "https://TOOL.example.org", "\xff"])
@pytest.mark.parametrize("path", ["own", "foreign"])
async def test_a_message_has_the_same_headers_from_both(
    server: ServerProcess, senders: dict[int, Sender], origin: str, path: str
) -> None:
    sender = await sender_of(server, senders)
    by_gateway = await sender.send((path, GOOD, {"origin": origin}))
    by_app = await sender.send((path, GOOD, {"origin": origin, **CHUNKED}))
    assert by_gateway.status == by_app.status
    assert cors(by_gateway) == cors(by_app)
    assert "access-control-allow-credentials" not in by_gateway.headers
    allowed = server.settings["cors_origins"]
    expected = {} if not origin else {"*": "*"} if allowed == "*" else {OURS: OURS}
    assert by_gateway.headers.get("access-control-allow-origin") == expected.get("*", expected.get(origin))


async def test_two_origins_are_left_to_the_app(server: ServerProcess, senders: dict[int, Sender]) -> None:
    sender = await sender_of(server, senders)
    wire = await Wire.open(server.port)
    lines = {"authorization": f"Bearer {sender.person.token}", "content-type": "application/json"}
    start = head("POST", sender.paths["own"], {**lines, "content-length": str(len(GOOD))})
    twice = start.replace(b"host:", f"origin: {OURS}\r\norigin: {OTHER}\r\nhost:".encode())
    answer = await wire.raw(twice + GOOD)
    assert (answer.status, "server" in answer.headers) == (201, True)


async def test_a_page_varies_by_origin_and_by_coding(server: ServerProcess) -> None:
    wire = await Wire.open(server.port)
    found = await wire.raw(head("GET", "/", {"origin": OTHER, "accept-encoding": "gzip"}))
    assert found.status == 200
    assert [each.strip().lower() for each in found.headers["vary"].split(",")] == ["accept-encoding", "origin"]


async def test_a_preflight_request_is_answered(server: ServerProcess, senders: dict[int, Sender]) -> None:
    sender = await sender_of(server, senders)
    wire = await Wire.open(server.port)
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    answer = await wire.raw(head("OPTIONS", sender.paths["own"], {"origin": OURS, **asked}))
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] in (OURS, "*")
