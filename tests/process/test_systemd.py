"""What a service manager is told, over the socket it gives."""

from __future__ import annotations

import asyncio
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fechatter.cli import build_parser
from fechatter.process.systemd import ServiceManager
from fechatter.settings import load_settings
from fechatter.tasks import Tasks
from tests.servers.process import PATIENCE_SECONDS

TELL_SECONDS = PATIENCE_SECONDS


@contextmanager
def listening(name: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
        to.settimeout(TELL_SECONDS)
        to.bind(name)
        yield to


def told(to: socket.socket) -> list[str]:
    return to.recv(4096).decode().split("\n")


@pytest.mark.parametrize("abstract", [False, True])
def test_each_state_is_one_datagram(tmp_path: Path, abstract: bool) -> None:
    name = f"fechatter-{uuid.uuid4()}" if abstract else str(tmp_path / "notify")
    with listening("\0" + name if abstract else name) as to:
        manager = ServiceManager({"NOTIFY_SOCKET": "@" + name if abstract else name})
        manager.ready()
        manager.reloading()
        manager.stopping("SIGTERM")
        assert told(to) == ["READY=1", "STATUS=Serving."]
        first, second = told(to)
        assert first == "RELOADING=1"
        assert second.removeprefix("MONOTONIC_USEC=").isdecimal()
        assert told(to) == ["STOPPING=1", "STATUS=Stopping: SIGTERM."]


async def test_a_loop_that_runs_says_so_in_half_the_time_allowed(tmp_path: Path) -> None:
    name = str(tmp_path / "notify")
    tasks = Tasks(lambda *_: None)
    with listening(name) as to:
        manager = ServiceManager({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "200000", "WATCHDOG_PID": str(os.getpid())})
        tasks.start("alive", manager.keep_alive())
        began = asyncio.get_running_loop().time()
        assert [await asyncio.to_thread(told, to) for _ in range(3)] == [["WATCHDOG=1"]] * 3
        assert asyncio.get_running_loop().time() - began >= 0.2
        await tasks.stop()


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"WATCHDOG_USEC": "1000000"},
        {"NOTIFY_SOCKET": "/nowhere/at/all", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"},
        {"NOTIFY_SOCKET": "/nowhere/at/all", "WATCHDOG_USEC": "soon"},
    ],
)
async def test_who_is_not_watched_or_cannot_tell_goes_on(environ: dict[str, str]) -> None:
    manager = ServiceManager(environ)
    assert manager.watchdog_seconds is None
    manager.ready()
    await manager.keep_alive()


def test_the_unit_in_deploy_sets_what_there_is() -> None:
    lines = (Path(__file__).parents[2] / "deploy" / "fechatter.service").read_text().splitlines()
    variables = dict(line.removeprefix("Environment=").split("=", 1) for line in lines if line.startswith("Environment="))
    assert set(load_settings(None, variables).sources) == {"data_dir", "log_format"}
    (command,) = [line.removeprefix("ExecStart=").split()[1:] for line in lines if line.startswith("ExecStart=")]
    assert build_parser().parse_args(command).command == "serve"
