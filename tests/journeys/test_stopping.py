"""A server that stops answers every request first and loses nothing that it acknowledged."""

from __future__ import annotations

import asyncio
import logging
import os
import pty
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journeys.client import Client, colleague, owner
from tests.journeys.senders import Sender, wait_until_true
from tests.journeys.server import ROOT, ServerProcess
from tests.journeys.stream import Stream
from tests.journeys.wire import Wire, head
from tests.process.test_systemd import notify_socket, received
from tests.servers.process import PATIENCE_SECONDS

log = logging.getLogger(__name__)

SENDERS = 16
MEMBERS = 30
"""Streams that receive every message. The others receive none."""
OPENING = 100
ACKNOWLEDGED = 10
"""By each sender before the stop."""
FILES = 12_000


@pytest.fixture
def many_streams(own_server: ServerProcess, engine: str) -> ServerProcess:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(FILES, hard)), hard))
    own_server.settings["streams_per_person"] = "10000"
    own_server.start()
    return own_server


@pytest.mark.parametrize("streams", [500, pytest.param(5_000, marks=pytest.mark.prove)])
async def test_a_stop_under_load_ends_in_time_and_loses_nothing(
    many_streams: ServerProcess, engine: str, streams: int
) -> None:
    server = many_streams
    ada = await owner(server, setup_token=server.setup_token)
    bob, carol = await colleague(ada), await colleague(ada)
    chat = await ada.chat("private_channel", bob)
    opened = await _open([bob] * MEMBERS + [carol] * (streams - MEMBERS))
    senders = [Sender(ada, chat["id"], f"sender {number}") for number in range(SENDERS)]
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for sender in senders:
            group.create_task(sender.run(stop))
        endings = [group.create_task(stream.rest()) for stream in opened]
        await wait_until_true(lambda: all(len(sender.acknowledged) >= ACKNOWLEDGED for sender in senders))
        code, seconds = await asyncio.to_thread(server.stop, signal.SIGTERM if engine == "sqlite" else signal.SIGINT)
        log.info("%s, %d streams: stopped after %.2f s", engine, streams, seconds)
        for ending in endings:
            last = (await ending)[-1]
            assert (last.name, last.data) == ("closing", {"reason": "shutdown"})
        await asyncio.to_thread(server.start)
        stop.set()
    # A stop beyond its hard limit exits with a failure.
    assert code == 0
    acknowledged = {content for sender in senders for content in sender.acknowledged}
    stored = await ada.history(chat["id"])
    assert {message["content"] for message in stored} == acknowledged
    assert [message["number"] for message in stored] == list(range(1, len(acknowledged) + 1))
    # A repeat gets 200, so no message was stored without an answer in the first run.
    assert sum(sender.statuses[200] for sender in senders) == 0


async def _open(people: list[Client]) -> list[Stream]:
    opened: list[Stream] = []
    for first in range(0, len(people), OPENING):
        opened += await asyncio.gather(*[person.listen() for person in people[first : first + OPENING]])
    return opened


async def test_a_stopping_server_accepts_no_connections_and_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path)
    try:
        server.start()
        half = await Wire.open(server.port)
        half.writer.write(head("POST", "/api/signin", {"content-length": "1000"}))
        idle = await Wire.open(server.port)
        assert (await idle.request("GET", "/health/simple")).status == 200
        wires = [await Wire.open(server.port) for _ in range(30)]
        guess = b'{"email": "ada@example.org", "password": "correct horse"}'
        signing = [asyncio.ensure_future(wire.request("POST", "/api/signin", guess)) for wire in wires]
        await asyncio.sleep(0)
        assert (await idle.request("GET", "/health/simple")).status == 200
        server.process.send_signal(signal.SIGINT)
        # The number of finished hashes depends on the machine. The other requests are refused.
        answers = {(answer.status, answer.json["code"]) for answer in await asyncio.gather(*signing)}
        assert (503, "stopping") in answers
        assert answers <= {(401, "wrong_credentials"), (503, "stopping")}
        assert await idle.reader.read() == b""
        with pytest.raises(ConnectionRefusedError):
            await Wire.open(server.port)
        server.process.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(server.wait) == 130
    finally:
        server.kill()


async def test_a_signal_ends_a_start_that_waits_for_a_silent_database(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        server = ServerProcess(tmp_path, f"postgresql://ada:secret@127.0.0.1:{mute.getsockname()[1]}/chat")
        try:
            server.launch()
            mute.settimeout(PATIENCE_SECONDS)
            asked = (await asyncio.to_thread(mute.accept))[0]
            assert await asyncio.to_thread(asked.recv, 1)
            code, _ = await asyncio.to_thread(server.stop)
        finally:
            server.kill()
    asked.close()
    assert code == 0
    assert "stopped before the start was complete: SIGTERM" in server.output


async def test_a_service_manager_is_notified_of_start_reload_and_stop(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path)
    with notify_socket(str(tmp_path / "notify")) as manager:
        server.variables = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "600000000"}
        try:
            await asyncio.to_thread(server.start)
            assert {received(manager)[0], received(manager)[0]} == {"WATCHDOG=1", "READY=1"}
            server.process.send_signal(signal.SIGHUP)
            assert [received(manager)[0] for _ in range(2)] == ["RELOADING=1", "READY=1"]
            assert (await asyncio.to_thread(server.stop))[0] == 0
            assert received(manager) == ["STOPPING=1", "STATUS=Stopping: SIGTERM."]
        finally:
            server.kill()


async def test_a_server_stops_when_its_terminal_closes(tmp_path: Path) -> None:
    process, terminal = _on_terminal(ServerProcess(tmp_path).environment())
    try:
        shown = b""
        while b"setup#token=" not in shown:
            shown += await asyncio.to_thread(os.read, terminal, 4096)
        os.close(terminal)
        assert await asyncio.to_thread(process.wait, PATIENCE_SECONDS) == 0
    finally:
        process.kill()


def _on_terminal(environment: dict[str, str]) -> tuple[subprocess.Popen[bytes], int]:
    """Start a server on a new terminal and return the other end of the terminal."""
    ours, its = pty.openpty()
    command = [sys.executable, "-m", "fechatter", "serve"]
    process = subprocess.Popen(command, env=environment, cwd=ROOT, preexec_fn=lambda: os.login_tty(its))
    os.close(its)
    return process, ours
