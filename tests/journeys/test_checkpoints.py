"""Failing checkpoints of SQLite: health shows them, no acknowledged message is lost, and the log shrinks afterwards."""

from __future__ import annotations

import asyncio
import resource

import psutil
import pytest

from tests.journeys.client import Client, owner
from tests.journeys.server import ServerProcess

MAX_SECONDS = 60.0
FULL_BYTES = 24 << 20
"""The limit for every file of the server. The log reaches it only if checkpoints fail."""
CHECKPOINT_BYTES = 16 << 20
BATCH = [{"content": "x" * 4000}] * 100


def limit_files(server: ServerProcess, size_bytes: int) -> None:
    """Make writes beyond this size fail, as on a full disk."""
    psutil.Process(server.process.pid).rlimit(resource.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))


def file_bytes(server: ServerProcess, name: str) -> int:
    """Return the size of a file in the data folder in bytes."""
    return (server.data_dir / name).stat().st_size


async def send_batch(person: Client, chat: int) -> int:
    """Send a batch and return the number of stored messages."""
    answer = await person.ask("POST", f"/api/chat/{chat}/messages/batch", {"messages": BATCH})
    return sum(result["status"] == 201 for result in answer.json["results"])


async def checkpoint_health(person: Client) -> dict[str, str]:
    answer = await person.ask("GET", "/health")
    part: dict[str, str] = answer.json["parts"]["checkpoints"]
    return part


async def wait_for_state(person: Client, state: str) -> dict[str, str]:
    async with asyncio.timeout(MAX_SECONDS):
        while (part := await checkpoint_health(person))["state"] != state:
            continue
    return part


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True, scope="module")
async def test_failing_checkpoints_are_reported_and_the_log_shrinks_after_recovery(own_server: ServerProcess) -> None:
    server = own_server
    await asyncio.to_thread(server.start)
    ada = await owner(server, setup_token=server.setup_token)
    chat = (await ada.chat("public_channel"))["id"]
    stored = 0
    # The database file cannot grow any further, and the log can grow a little.
    while file_bytes(server, "fechatter.db") < FULL_BYTES - CHECKPOINT_BYTES // 2:
        stored += await send_batch(ada, chat)
    limit_files(server, FULL_BYTES)
    async with asyncio.timeout(MAX_SECONDS):
        while (failing := await checkpoint_health(ada))["state"] != "degraded":
            stored += await send_batch(ada, chat)
    assert failing["detail"]
    assert failing["since"]
    assert file_bytes(server, "fechatter.db-wal") >= CHECKPOINT_BYTES
    limit_files(server, resource.RLIM_INFINITY)
    await wait_for_state(ada, "ok")
    stored += await send_batch(ada, chat)
    async with asyncio.timeout(MAX_SECONDS):
        while file_bytes(server, "fechatter.db-wal") >= CHECKPOINT_BYTES:
            stored += await send_batch(ada, chat)
    found = await ada.get(f"/api/chat/{chat}/messages?limit=1")
    assert found["items"][0]["number"] >= stored
    assert "died" not in server.output
