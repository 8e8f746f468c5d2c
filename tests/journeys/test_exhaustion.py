"""Clients that open connections and send nothing: each is closed in time, and other clients are served meanwhile."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import pytest

from tests.journeys.client import Client, owner
from tests.journeys.senders import wait_until_true
from tests.journeys.server import ServerProcess
from tests.journeys.wire import Wire, head
from tests.servers.process import PATIENCE_SECONDS

FILES = 256
"""Few more than the server needs for itself."""
SILENT = 150
"""More than the connections that the server can accept with FILES."""
HALF_BODY = b'{"content": "'


def unfinished_requests(person: Client, chat: int) -> dict[str, bytes]:
    """Return beginnings of requests that never complete."""
    headers = {"authorization": f"Bearer {person.token}", "content-length": "100"}
    return {
        "nothing": b"",
        "half a head": b"POST /api/signin HTTP/1.1\r\nhost",
        "half a preface": b"PRI * HT",
        "a preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "half a body of a stranger": head("POST", "/api/signin", {"content-length": "100"}) + HALF_BODY,
        "half a body": head("PATCH", "/api/users/me", headers) + HALF_BODY,
        "half a batch": head("POST", f"/api/chat/{chat}/messages/batch", headers) + HALF_BODY,
    }


async def _read_until_closed(server: ServerProcess, beginning: bytes) -> bytes:
    """Return everything that the server sends until it closes the connection."""
    wire = await Wire.open(server.port)
    wire.writer.write(beginning)
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await wire.reader.read()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True, scope="module")
async def test_silent_and_unfinished_connections_are_closed(server: ServerProcess) -> None:
    ada = await owner(server)
    beginnings = unfinished_requests(ada, (await ada.chat("public_channel"))["id"])
    endings = await asyncio.gather(*(_read_until_closed(server, beginning) for beginning in beginnings.values()))
    for (name, beginning), answer in zip(beginnings.items(), endings, strict=True):
        if beginning.endswith(HALF_BODY):
            assert answer.startswith(b"HTTP/1.1 408 "), name
            assert b'"code":"body_timeout"' in answer


async def test_silent_connections_do_not_exhaust_the_open_files(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path, open_files=FILES, signup="open")
    try:
        server.start()
        ada = await owner(server)
        chat = (await ada.chat("public_channel"))["id"]
        silent = [await Wire.open(server.port) for _ in range(SILENT)]
        await ada.send(chat, "still here")
        computed, began = server.cpu_seconds(), time.monotonic()
        await asyncio.sleep(1.0)
        # A server that retries accept in a loop would use the CPU all the time.
        assert server.cpu_seconds() - computed < (time.monotonic() - began) / 4
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert (await Client(server).get("/health/simple")) == {"status": "ok"}
        for wire in silent:
            wire.close()
        assert "Too many open files" not in server.output
    finally:
        server.kill()


async def test_the_server_refuses_to_start_with_too_few_open_files(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path, open_files=128)
    assert "At most 128 files may be open" in await asyncio.to_thread(server.expect_failed_start)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True, scope="module")
async def test_a_stop_does_not_wait_for_silent_connections(own_server: ServerProcess) -> None:
    own_server.start()
    ada = await owner(own_server, setup_token=own_server.setup_token)
    for beginning in unfinished_requests(ada, 1).values():
        (await Wire.open(own_server.port)).writer.write(beginning)
    # One more connection is the owner's, and the server closes that with the HTTP/2 preface at once.
    await wait_until_true(lambda: own_server.connections() >= len(unfinished_requests(ada, 1)))
    code, _ = await asyncio.to_thread(own_server.stop)
    assert code == 0
    assert "closing connections that are silent or sent only half of a request" in own_server.output
    assert "Traceback" not in own_server.output


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True, scope="module")
async def test_a_second_interrupt_ends_the_server_at_once(own_server: ServerProcess) -> None:
    own_server.start()
    ada = await owner(own_server, setup_token=own_server.setup_token)
    chat = (await ada.chat("public_channel"))["id"]
    kept = await ada.send(chat, "kept")
    (await Wire.open(own_server.port)).writer.write(head("POST", "/api/signin", {"content-length": "100"}) + HALF_BODY)
    await wait_until_true(lambda: own_server.connections() > 1)
    own_server.process.send_signal(signal.SIGINT)
    await asyncio.to_thread(own_server.wait_for_output, "stopping: SIGINT")
    own_server.process.send_signal(signal.SIGINT)
    assert await asyncio.to_thread(own_server.process.wait, PATIENCE_SECONDS) == 130
    assert "Traceback" not in own_server.output
    own_server.start()
    assert await ada.history(chat) == [kept]
