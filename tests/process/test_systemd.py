"""Notifications to a service manager over its socket."""

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
def notify_socket(name: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager_socket:
        manager_socket.settimeout(TELL_SECONDS)
        manager_socket.bind(name)
        yield manager_socket


def received(manager_socket: socket.socket) -> list[str]:
    return manager_socket.recv(4096).decode().split("\n")


@pytest.mark.parametrize("abstract", [False, True])
def test_each_state_is_one_datagram(tmp_path: Path, abstract: bool) -> None:
    name = f"fechatter-{uuid.uuid4()}" if abstract else str(tmp_path / "notify")
    with notify_socket("\0" + name if abstract else name) as manager_socket:
        manager = ServiceManager({"NOTIFY_SOCKET": "@" + name if abstract else name})
        manager.ready()
        manager.reloading()
        manager.stopping("SIGTERM")
        assert received(manager_socket) == ["READY=1", "STATUS=Serving."]
        first, second = received(manager_socket)
        assert first == "RELOADING=1"
        assert second.removeprefix("MONOTONIC_USEC=").isdecimal()
        assert received(manager_socket) == ["STOPPING=1", "STATUS=Stopping: SIGTERM."]


async def test_the_watchdog_is_notified_twice_per_period(tmp_path: Path) -> None:
    name = str(tmp_path / "notify")
    tasks = Tasks(lambda *_: None)
    with notify_socket(name) as manager_socket:
        manager = ServiceManager({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "200000", "WATCHDOG_PID": str(os.getpid())})
        tasks.start("alive", manager.keep_alive())
        began = asyncio.get_running_loop().time()
        assert [await asyncio.to_thread(received, manager_socket) for _ in range(3)] == [["WATCHDOG=1"]] * 3
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
async def test_without_a_watchdog_or_a_usable_socket_the_server_continues(environ: dict[str, str]) -> None:
    manager = ServiceManager(environ)
    assert manager.watchdog_seconds is None
    manager.ready()
    await manager.keep_alive()


def test_the_unit_file_uses_existing_settings_and_commands() -> None:
    lines = (Path(__file__).parents[2] / "deploy" / "fechatter.service").read_text().splitlines()
    variables = dict(
        line.removeprefix("Environment=").split("=", 1) for line in lines if line.startswith("Environment=")
    )
    assert set(load_settings(None, variables).sources) == {"data_dir", "log_format"}
    (command,) = [line.removeprefix("ExecStart=").split()[1:] for line in lines if line.startswith("ExecStart=")]
    assert build_parser().parse_args(command).command == "serve"
