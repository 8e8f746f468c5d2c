"""SQLite's log while checkpoints fail: health shows it, nothing acknowledged is lost, and the log shrinks again."""

from __future__ import annotations

import asyncio
import resource

import psutil
import pytest

from tests.journeys.client import Client, owner
from tests.journeys.server import ServerProcess

MOST_SECONDS = 60.0
FULL_BYTES = 24 << 20
"""No file of the server may be larger. The log gets there only when checkpoints fail."""
CHECKPOINT_BYTES = 16 << 20
BATCH = [{"content": "x" * 4000}] * 100


def limit_files(server: ServerProcess, size_bytes: int) -> None:
    """From now on writes beyond this size fail, as on a full disk."""
    psutil.Process(server.process.pid).rlimit(resource.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))


def size(server: ServerProcess, name: str) -> int:
    """Bytes of a file in the data folder."""
    return (server.data_dir / name).stat().st_size


async def fill(person: Client, chat: int) -> int:
    """Send a batch; returns how many messages were stored."""
    answer = await person.ask("POST", f"/api/chat/{chat}/messages/batch", {"messages": BATCH})
    return sum(result["status"] == 201 for result in answer.json["results"])


async def checkpoints(person: Client) -> dict[str, str]:
    answer = await person.ask("GET", "/health")
    part: dict[str, str] = answer.json["parts"]["checkpoints"]
    return part


async def until_state(person: Client, state: str) -> dict[str, str]:
    async with asyncio.timeout(MOST_SECONDS):
        while (part := await checkpoints(person))["state"] != state:
            continue
    return part


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True, scope="module")
async def test_checkpoints_that_fail_are_shown_and_caught_up_with(own_server: ServerProcess) -> None:
    server = own_server
    await asyncio.to_thread(server.start)
    ada = await owner(server, setup_token=server.setup_token)
    chat = (await ada.chat("public_channel"))["id"]
    stored = 0
    # The database file itself may not grow any more, the log a little.
    while size(server, "fechatter.db") < FULL_BYTES - CHECKPOINT_BYTES // 2:
        stored += await fill(ada, chat)
    limit_files(server, FULL_BYTES)
    async with asyncio.timeout(MOST_SECONDS):
        while await fill(ada, chat) == len(BATCH):
            stored += len(BATCH)
    failing = await until_state(ada, "degraded")
    assert failing["detail"]
    assert failing["since"]
    assert size(server, "fechatter.db-wal") >= CHECKPOINT_BYTES
    limit_files(server, resource.RLIM_INFINITY)
    await until_state(ada, "ok")
    stored += await fill(ada, chat)
    async with asyncio.timeout(MOST_SECONDS):
        while size(server, "fechatter.db-wal") >= CHECKPOINT_BYTES:
            stored += await fill(ada, chat)
    found = await ada.get(f"/api/chat/{chat}/messages?limit=1")
    assert found["items"][0]["number"] >= stored
    assert "died" not in server.output
