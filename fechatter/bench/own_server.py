"""A server for one measurement: one `fechatter serve` in a temporary folder, which is removed at the end."""

from __future__ import annotations

import ctypes
import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType

from fechatter.bench.interrupts import Interrupts
from fechatter.bench.target import LoadTarget
from fechatter.errors import StartError
from fechatter.settings import describe

ENTRY_POINT = "FECHATTER_GATEWAY"
START_SECONDS = 30.0
STOP_SECONDS = 15.0
PR_SET_PDEATHSIG = 1
"""From Linux's `sys/prctl.h`."""
NO_LIMITS = {
    "FECHATTER_MESSAGES_PER_MINUTE": "10000000",
    "FECHATTER_REQUESTS_PER_MINUTE": "10000000",
    "FECHATTER_STRANGER_REQUESTS_PER_MINUTE": "10000000",
    "FECHATTER_STREAMS_PER_PERSON": "100000",
    "FECHATTER_CONNECTIONS_PER_ADDRESS": "1000000",
}
"""The load's few people send as much as many people would. Their requests are counted against limits that they cannot
reach."""


class OwnServer:
    """A server that can be started and stopped several times and keeps its data. Use it as a context manager.

    Attributes:
        environment: the environment of its process, used from the next start on.
        arguments: the arguments of the interpreter.
    """

    def __init__(self, database_url: str | None = None, interrupts: Interrupts | None = None) -> None:
        self._interrupts = interrupts or Interrupts()
        self.folder = Path(tempfile.mkdtemp(prefix="fechatter-bench-"))
        self.environment = _environment(self.folder, database_url)
        self.arguments = ["-P", "-m", "fechatter", "serve"]
        self._process: subprocess.Popen[str] | None = None
        self.target = LoadTarget("127.0.0.1", 0)

    def start(self) -> float:
        """Start the server, and return the seconds until its first response. Raises StartError."""
        began = time.perf_counter()
        with (self.folder / "errors").open("w") as errors:
            # In its own process group: Ctrl-C reaches only the measurement, which then stops the server properly.
            self._process = subprocess.Popen(
                [sys.executable, *self.arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )
        with self._interrupts.allowed():
            port = int(self._read(r"is at http://.*:(\d+)$"))
            self.target = LoadTarget("127.0.0.1", port, pid=self._process.pid)
            _first_answer(port)
        return time.perf_counter() - began

    def read_setup_token(self) -> str:
        """Return the set-up token that the server printed. Raises StartError: the database has been used before."""
        return self._read(r"#token=(\S+)$")

    def _read(self, pattern: str) -> str:
        """Return the group of the next output line, which must match. Raises StartError."""
        assert self._process is not None
        assert self._process.stdout is not None
        watch = threading.Timer(START_SECONDS, self._process.kill)
        watch.start()
        try:
            line = self._process.stdout.readline()
        finally:
            watch.cancel()
        found = re.search(pattern, line.rstrip())
        if found is None:
            errors = (self.folder / "errors").read_text().strip()
            raise StartError(f"The server to be measured did not start. {line.strip()} {errors}".strip())
        return found[1]

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None

    def __enter__(self) -> OwnServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _end_with_parent() -> None:
    """Make Linux stop the server if the measurement is killed. Runs in the new process."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _first_answer(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    connection.request("GET", "/health/simple")
    connection.getresponse().read()
    connection.close()


def _environment(folder: Path, database_url: str | None) -> dict[str, str]:
    """Return this process's environment without its settings, except the entry point to measure."""
    settings = {name for each in describe() for name in (each.variable, each.alias)} - {ENTRY_POINT}
    mine = {name: value for name, value in os.environ.items() if name not in settings}
    mine |= {
        "FECHATTER_DATA_DIR": str(folder),
        "FECHATTER_HOST": "127.0.0.1",
        "FECHATTER_PORT": "0",
        "FECHATTER_LOG_LEVEL": "error",
    }
    return mine | NO_LIMITS | ({"FECHATTER_DATABASE_URL": database_url} if database_url else {})
