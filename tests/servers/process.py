"""What the servers of the tests have in common: a free port, waiting, and an end that leaves no process behind."""

import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil

PATIENCE_SECONDS = 60.0
"""How long a test waits for a state before it fails. It is no measure of speed: a busy machine may use all of it."""
START_SECONDS = PATIENCE_SECONDS
STOP_SECONDS = PATIENCE_SECONDS / 2


class ServerFailed(RuntimeError):
    """A server that did not start; the text is the end of its log."""


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def accepts(port: int) -> bool:
    """Whether somebody listens on the port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the server is ready.

    Raises:
        ServerFailed: it ended, or was not ready in time.
    """
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            kill_all(process)
            raise ServerFailed(log.read_text(errors="replace")[-4000:])
        time.sleep(0.005)


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL the process and all it started, as a power cut would, and wait for their end."""
    if process.poll() is not None:
        return  # its number may be another's by now
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


def _runs(process: psutil.Process) -> bool:
    """Whether it still does; an orphan that nobody has reaped yet does not."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
