"""Helpers for the servers of tests: free ports, waiting for a start, and killing all processes."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import psutil

PATIENCE_SECONDS = 60.0
"""How long a test waits for a state before it fails. A busy machine may use all of it, so it measures no speed."""
START_SECONDS = PATIENCE_SECONDS
STOP_SECONDS = PATIENCE_SECONDS / 2


class ServerFailed(RuntimeError):
    """A server did not start. The message is the end of its log."""


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def accepts(port: int) -> bool:
    """Return whether a server listens on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the server is ready.

    Raises:
        ServerFailed: it exited, or was not ready in time.
    """
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            kill_all(process)
            raise ServerFailed(log.read_text(errors="replace")[-4000:])
        time.sleep(0.005)


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and all its children, and wait for their end."""
    if process.poll() is not None:
        return  # The process id may belong to another process by now.
    try:
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        family = []
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait(STOP_SECONDS)
    deadline = time.monotonic() + STOP_SECONDS
    while any(_runs(member) for member in family) and time.monotonic() < deadline:
        time.sleep(0.005)


class ManagedServer:
    """A server process with a folder of its own. Subclasses start it."""

    folder: Path
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        raise NotImplementedError

    def kill(self) -> None:
        """Kill every process of the server, as a power cut would."""
        if self._process is not None:
            kill_all(self._process)
            self._process = None

    def end(self, number: signal.Signals) -> None:
        """Stop the server with a signal, or kill it if it does not stop in time."""
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def remove(self) -> None:
        """Kill the server and delete its folder."""
        self.kill()
        shutil.rmtree(self.folder)


S = TypeVar("S", bound=ManagedServer)


@contextmanager
def running(server: S) -> Iterator[S]:
    """Start the server, and remove it at the end."""
    try:
        server.start()
        yield server
    finally:
        server.remove()


def _runs(process: psutil.Process) -> bool:
    """Return whether the process still runs. A zombie does not."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
