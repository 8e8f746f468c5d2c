"""Changes that another process makes end what the gateway keeps: another node, or an administration command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.journeys.cached_readers import repeated
from tests.journeys.client import Client, colleague, owner
from tests.journeys.metrics import cache_hits
from tests.journeys.senders import wait_until_true
from tests.journeys.server import ServerProcess
from tests.journeys.test_administration import command
from tests.servers.nats import Nats
from tests.servers.postgres import Postgres

TOKEN = "metrics-of-the-other-process-0123456789"
SHARED_SECRET = "one secret for all the nodes of a server"


@pytest.fixture
def gateway(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServerProcess]:
    url = request.getfixturevalue("postgres_server").create_database() if engine == "postgres" else None
    with ServerProcess(tmp_path, url, gateway="on", metrics_token=TOKEN) as server:
        yield server


@pytest.fixture
def nodes(postgres_server: Postgres, tmp_path: Path) -> Iterator[list[ServerProcess]]:
    """Two nodes with a gateway."""
    nats, url = Nats(), postgres_server.create_database()
    how = {"signup": "open", "gateway": "on", "metrics_token": TOKEN, "jwt_secret": SHARED_SECRET, "nats_url": nats.url}
    for name in "ab":
        (tmp_path / name).mkdir()
    try:
        nats.start()
        with ServerProcess(tmp_path / "a", url, **how) as a, ServerProcess(tmp_path / "b", url, **how) as b:
            yield [a, b]
    finally:
        nats.remove()


async def until_refused(reader: Client, path: str, status: int) -> None:
    """Read until the response has this status."""
    while (answer := await reader.ask("GET", path)).status != status:
        assert answer.status == 200


async def until_newest(reader: Client, path: str, message_id: int) -> None:
    """Read a page until its newest message is this one."""
    newest: list[int] = []
    while newest != [message_id]:
        newest = [each["id"] for each in (await reader.get(path))["items"][:1]]


async def test_a_command_ends_what_the_gateway_keeps(gateway: ServerProcess) -> None:
    host = await owner(gateway, setup_token=gateway.setup_token)
    member = await colleague(host)
    await repeated(member, "/api/users/me", TOKEN)
    await command(gateway, "users", "disable", str(member.id))
    await until_refused(member, "/api/users/me", 401)
    await repeated(host, "/api/users/me", TOKEN)


async def test_another_node_ends_what_the_gateway_keeps(nodes: list[ServerProcess]) -> None:
    host = await owner(nodes[0])
    member = await colleague(host)
    there = Client(nodes[1], host.session)
    chat = (await host.chat("private_channel", member))["id"]
    path = f"/api/chat/{chat}/messages"
    for number in range(5):
        await repeated(member, path, TOKEN)
        sent = await there.send(chat, f"message {number}")
        await until_newest(member, path, sent["id"])
    seen = (await there.ask("GET", path)).headers["event-cursor"]
    await there.send(chat, "newer")
    newer = (await there.ask("GET", path)).headers["event-cursor"]
    assert newer != seen
    answer = await member.ask("GET", path, headers={"event-cursor": newer})
    assert answer.json["items"][0]["content"] == "newer"
    await repeated(member, path, TOKEN)
    await there.call("DELETE", f"/api/chat/{chat}/members/{member.id}")
    await until_refused(member, path, 404)


async def test_nothing_is_kept_without_memory(tmp_path: Path) -> None:
    with ServerProcess(tmp_path, gateway="on", metrics_token=TOKEN, response_cache_bytes="0") as server:
        host = await owner(server, setup_token=server.setup_token)
        first = await host.ask("GET", "/api/users/me")
        again = await host.ask("GET", "/api/users/me")
        assert first.body == again.body
        assert await cache_hits(server, TOKEN) == 0
        assert not any(name.startswith("surrogate") for name in again.headers)


async def test_repeated_responses_have_lines_in_the_access_log(tmp_path: Path) -> None:
    with ServerProcess(tmp_path, gateway="on", metrics_token=TOKEN, access_log="on", log_format="json") as server:
        host = await owner(server, setup_token=server.setup_token)
        await repeated(host, "/api/users/me", TOKEN)
        await host.ask("GET", "/api/users/me", headers={"x-request-id": "repeated"})
        await wait_until_true(lambda: '"repeated"' in server.output)
        (line,) = [each for each in server.output.splitlines() if '"repeated"' in each]
        assert orjson.loads(line)["route"] == "/api/users/me"
