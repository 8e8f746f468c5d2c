"""The metrics and the log of a running server: who can read the metrics, and that the log contains no user data."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import asyncpg
import pytest

from fechatter.telemetry.names import REGISTRY
from tests.journeys.client import Client, colleague, owner
from tests.journeys.metrics import read_metrics
from tests.journeys.server import ServerProcess
from tests.servers.process import PATIENCE_SECONDS

TOKEN = "metrics-MARK-0123456789"
MARK = "MARK"
"""Part of every secret and every text that these tests send."""


@pytest.fixture(scope="module")
def server(
    engine: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    """A server that people join by invitation, with the most detailed log."""
    url = request.getfixturevalue("postgres_server").create_database() if engine == "postgres" else None
    how = {"metrics_token": TOKEN, "log_level": "debug", "log_format": "json", "access_log": "on"}
    with ServerProcess(tmp_path_factory.mktemp("server"), url, **how) as process:
        yield process


async def people(server: ServerProcess) -> tuple[Client, Client]:
    """Return the owner and a member, the same for all tests of this server."""
    if not hasattr(server, "people"):
        host = await owner(server, f"{MARK} workspace", setup_token=server.setup_token)
        server.people = host, await colleague(host)  # type: ignore[attr-defined]
    return server.people  # type: ignore[attr-defined,no-any-return]


async def scrape(server: ServerProcess) -> dict[str, float]:
    """Return every sample by its name and labels."""
    return await read_metrics(Client(server), TOKEN)


async def scrape_until(server: ServerProcess, counted: Callable[[dict[str, float]], bool]) -> dict[str, float]:
    """Return the samples once they are as expected. The server may count an event after a client has its effect."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not counted(found := await scrape(server)):
            continue
    return found


async def test_metrics_count_sends_deliveries_and_streams(server: ServerProcess) -> None:
    host, member = await people(server)
    chat = await host.chat("private_channel", member)
    stream = await member.listen()
    before = await scrape(server)
    for number in range(3):
        await host.send(chat["id"], f"hello {number}")
    for _ in range(3):
        await stream.until("message.created")
    delivered = "fechatter_delivered_blocks_total"
    sent = 'fechatter_requests_total{route="/api/chat/{chat_id}/messages",method="POST",status="201"}'
    counters = (sent, "fechatter_messages_stored_total", "fechatter_send_seconds_count", "fechatter_batch_rows_sum")
    after = await scrape_until(
        server,
        lambda found: (
            found[delivered] >= before[delivered] + 3
            and all(found.get(name, 0) >= before.get(name, 0) + 3 for name in counters)
        ),
    )
    stream.close()
    assert {name: after[name] - before.get(name, 0) for name in counters} == dict.fromkeys(counters, 3)
    assert after["fechatter_streams"] >= 1
    assert after["fechatter_people_active"] == 2
    assert after["fechatter_database_up"] == 1
    assert after['fechatter_queue_limit{queue="intake_messages",unit="messages"}'] == 4096
    assert 10e6 < after["process_resident_memory_bytes"] < 10e9


async def test_closed_streams_are_counted_by_reason(server: ServerProcess) -> None:
    host, _ = await people(server)
    leaving = await colleague(host)
    stream = await leaving.listen()
    ended = 'fechatter_streams_closed_total{reason="revoked"}'
    before = (await scrape(server)).get(ended, 0)
    await leaving.post("/api/logout")
    await stream.until("closing")
    while (count := (await scrape(server)).get(ended, 0)) == before:
        continue
    assert count == before + 1


async def test_metrics_contain_exactly_the_documented_names(server: ServerProcess) -> None:
    answer = await Client(server).ask("GET", "/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert re.findall(r"^# TYPE (\S+) ", answer.body.decode(), re.MULTILINE) != []
    assert set(re.findall(r"^# TYPE (\S+) ", answer.body.decode(), re.MULTILINE)) == set(REGISTRY)


async def test_only_admins_and_the_metrics_token_can_read_metrics(server: ServerProcess) -> None:
    host, member = await people(server)
    guest = await colleague(host, "guest")
    assert [(await who.ask("GET", "/metrics")).status for who in (Client(server), member, guest, host)] == [
        401,
        403,
        403,
        200,
    ]
    for wrong in ("Bearer metrics-MARK-012345678", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \xff"):
        assert (await Client(server).ask("GET", "/metrics", headers={"authorization": wrong})).status == 401


async def test_clients_cannot_create_new_metric_labels(server: ServerProcess) -> None:
    host, _ = await people(server)
    await host.ask("BREW", "/nowhere")
    await scrape(server)  # The second scrape contains the route of the first one.
    before = set(await scrape(server))
    for number in range(30):
        await host.ask(
            "BREW",
            f"/nowhere/{MARK}{number}?a={number}",
            headers={"x-request-id": f"r{number}", "user-agent": f"a{number}"},
        )
        await host.ask("GET", f"/api/chat/{10**6 + number}")
    grown = {re.sub(r",le=.*", "", name) for name in set(await scrape(server)) - before}
    # A loop has a sample once it has run.
    expected = re.compile(r"/api/chat/\{chat_id\}|^fechatter_loop_failing")
    assert {name for name in grown if not expected.search(name)} == set()


async def test_the_log_contains_no_user_data_and_names_the_failed_requests(server: ServerProcess, engine: str) -> None:
    host, member = await people(server)
    chat = await host.chat("private_channel", member, name=f"{MARK} chat", description=f"{MARK} described")
    path = f"/api/chat/{chat['id']}/messages"
    message = await host.send(chat["id"], f"{MARK} content", f"{MARK}-key-1")
    stream = await member.listen()
    await _send_all_kinds(host, path)
    await _refuse_messages(server, True)
    failed = await host.ask("POST", path, {"content": f"{MARK} lost"}, {"x-request-id": "lost-1"})
    many = await host.ask(
        "POST", f"{path}/batch", {"messages": [{"content": f"{MARK} lost"}] * 2}, {"x-request-id": "lost-2"}
    )
    edited = await host.ask(
        "PATCH", f"{path}/{message['id']}", {"content": f"{MARK} edited"}, {"x-request-id": "lost-3"}
    )
    await _refuse_messages(server, False)
    stream.close()
    assert (failed.status, failed.json["errors"][0]["code"]) == (422, "not_storable")
    assert [result["status"] for result in many.json["results"]] == [422, 422]
    assert (edited.status, edited.json["errors"][0]["code"]) == (422, "not_storable")

    lines = [json.loads(line) for line in server.output.splitlines() if line.startswith("{")]
    text = "\n".join(map(json.dumps, lines))
    assert MARK not in text
    secrets = [
        host.session["access_token"],
        host.session["refresh_token"],
        server.setup_token,
        TOKEN,
        host.session["user"]["email"],
    ]
    assert not [secret for secret in secrets if secret in text]
    others = [line for line in server.output.splitlines() if not line.startswith("{")]
    assert all(line.startswith(("Fechatter is at", "Create the first owner")) for line in others)
    named = [request for line in lines for request in line.get("requests", [])]
    assert ["lost-1"] in [line.get("requests") for line in lines]
    assert named.count("lost-2") == 2
    assert [line["level"] for line in lines if line.get("request_id") == "lost-3" and "trace" in line] == ["error"]
    access = next(line for line in lines if line["logger"] == "fechatter.access" and line["request_id"] == "lost-1")
    assert (access["route"], access["method"], access["status"]) == ("/api/chat/{chat_id}/messages", "POST", 422)
    assert (access["user_id"], access["workspace_id"], access["address"]) == (host.id, host.workspace_id, "127.0.0.1")


async def _send_all_kinds(host: Client, path: str) -> None:
    """Send valid and invalid requests with the mark in every possible place."""
    stranger = Client(host.server)
    person = {"email": f"{MARK}@example.org", "password": f"{MARK} password"}
    invitation = await host.post("/api/invitations", {"role": "member", "email": f"{MARK}@example.org"})
    joined = await stranger.post(
        "/api/signup", {**person, "fullname": f"{MARK} name", "invitation": invitation["token"]}
    )
    asked: list[tuple[Client, str, str, Any, dict[str, str]]] = [
        (stranger, "POST", "/api/signin", person, {}),
        (stranger, "POST", "/api/signin", {**person, "password": f"{MARK} wrong"}, {}),
        (stranger, "POST", "/api/signin", {"email": [MARK]}, {}),
        (stranger, "POST", "/api/refresh", {"refresh_token": joined["refresh_token"]}, {}),
        (stranger, "POST", "/api/refresh", {"refresh_token": f"{MARK}.{MARK}"}, {}),
        (stranger, "POST", "/api/invitations/lookup", {"token": MARK}, {}),
        (stranger, "POST", "/api/signup", {**person, "fullname": MARK, "workspace": MARK, "setup_token": MARK}, {}),
        (host, "PATCH", "/api/users/me", {"fullname": f"{MARK} me", "handle": MARK.lower() + "-handle"}, {}),
        (host, "PATCH", "/api/users/me", {"timezone": MARK, MARK: MARK}, {}),
        (host, "POST", path, {"content": f"{MARK} other", "idempotency_key": f"{MARK}-key-1"}, {}),
        (host, "POST", path, {"content": MARK + "x" * 5000}, {"idempotency-key": f"{MARK} key"}),
        (
            host,
            "GET",
            f"/nowhere/{MARK}?token={MARK}",
            None,
            {"cookie": f"a={MARK}", "user-agent": MARK, "referer": MARK},
        ),
        (host, "GET", f"/api/users?q={MARK}&{MARK}={MARK}", None, {}),
        (host, "GET", f"/events?last_event_id={MARK}", None, {"last-event-id": MARK}),
        (host, MARK, path, None, {}),
        (stranger, "GET", "/api/sync", None, {"authorization": f"Bearer {MARK}.{MARK}.{MARK}"}),
        (stranger, "GET", "/api/sync", None, {"authorization": f"Basic {MARK}", "x-request-id": f"{MARK} <not sane>"}),
        (stranger, "GET", "/metrics", None, {"authorization": f"Bearer {MARK}"}),
    ]
    for who, method, target, body, headers in asked:
        await who.ask(method, target, body, headers)
    for raw in (
        b'{"content": "MARK',
        b'{"content": "MARK \xff"}',
        b'["MARK"]',
        b'{"content": "MARK \\ud800"}',
        b"MARK",
    ):
        await host.ask("POST", path, raw=raw)
    await Client(host.server).ask("POST", "/api/password", {"current_password": MARK, "new_password": MARK})


async def _refuse_messages(server: ServerProcess, refused: bool) -> None:
    """Make the database refuse all new contents. PostgreSQL quotes the row in its error."""
    if server.database_url is None:
        with sqlite3.connect(server.data_dir / "fechatter.db", timeout=5) as connection:
            for event in ("INSERT", "UPDATE"):
                action = "BEGIN SELECT RAISE(ABORT, 'refused'); END"
                made = f"CREATE TRIGGER refuse_{event} BEFORE {event} ON messages {action}"
                connection.execute(made if refused else f"DROP TRIGGER refuse_{event}")
        connection.close()
        return
    connection = await asyncpg.connect(server.database_url)
    change = "ADD CONSTRAINT refuse CHECK (length(content) < 0) NOT VALID" if refused else "DROP CONSTRAINT refuse"
    await connection.execute(f"ALTER TABLE messages {change}")
    await connection.close()
