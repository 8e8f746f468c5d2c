"""PgBouncer between the server and PostgreSQL, with session and with transaction pooling."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.client import owner
from tests.journeys.server import ServerProcess
from tests.servers.pgbouncer import PgBouncer
from tests.servers.postgres import Postgres

SENDS, CHANGES = 150, 60


POOLS: list[dict[str, str]] = [{}, {"pool_mode": "transaction"}, {"pool_mode": "transaction", "default_pool_size": "2"}]


@pytest.fixture(params=POOLS, ids=str)
def pooled_server(request: pytest.FixtureRequest, postgres_server: Postgres, tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that reaches PostgreSQL only through PgBouncer."""
    pooler = PgBouncer(postgres_server, **request.param)
    server = ServerProcess(tmp_path, pooler.url(postgres_server.create_database()), heartbeat_seconds="1")
    try:
        pooler.start()
        server.start()
        yield server
    finally:
        server.kill()
        pooler.remove()


async def test_messages_and_changes_are_stored_and_delivered_through_a_pooler(pooled_server: ServerProcess) -> None:
    ada = await owner(pooled_server, setup_token=pooled_server.setup_token)
    chat = (await ada.chat("public_channel"))["id"]
    stream = await ada.listen()
    path = f"/api/chat/{chat}/messages"
    sends = [ada.ask("POST", path, {"content": f"number {number}"}) for number in range(SENDS)]
    changes = [ada.ask("PATCH", "/api/users/me", {"fullname": f"Ada {number}"}) for number in range(CHANGES)]
    answers = await asyncio.gather(*sends, *changes)
    assert Counter(answer.status for answer in answers) == {201: SENDS, 200: CHANGES}
    sent = sorted(answer.json["id"] for answer in answers[:SENDS])
    shown = [await stream.until("message.created") for _ in range(SENDS)]
    assert [events[-1].data["data"]["message"]["id"] for events in shown] == sent
    again = [{"content": "once", "idempotency_key": "the-same-key"}] * 2
    assert [(await ada.ask("POST", path, body)).status for body in again] == [201, 200]


async def test_statement_pooling_is_refused_with_a_reason(postgres_server: Postgres, tmp_path: Path) -> None:
    pooler = PgBouncer(postgres_server, pool_mode="statement")
    try:
        pooler.start()
        server = ServerProcess(tmp_path, pooler.url(postgres_server.create_database()))
        output = await asyncio.to_thread(server.expect_failed_start)
    finally:
        pooler.remove()
    assert "pool_mode = statement" in output
    assert "Traceback" not in output
