"""The real server as a process, started as an operator starts it."""

from __future__ import annotations

import http.client
import os
import re
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import psutil

from tests.servers.process import STOP_SECONDS, free_port, kill_all, wait_until

ROOT = Path(__file__).parents[2]
GATEWAY = os.environ.get("FECHATTER_GATEWAY", "on")
"""The entry point of every server under test: `on`, the gateway; `off`, Granian."""


class ServerProcess:
    """One `fechatter serve` on 127.0.0.1. It keeps its port and data folder across `kill` and `start`.

    Args:
        folder: the parent of the data folder and of the output file.
        database_url: an empty PostgreSQL database, or None for SQLite in the data folder.
        open_files: a lower limit of open files for the process.
        tls: the certificates that clients trust, if the server serves https.
        program: the Python arguments to run instead of the command itself.
        settings: further settings by key, such as `signup="open"`.
    """

    def __init__(
        self,
        folder: Path,
        database_url: str | None = None,
        *,
        open_files: int | None = None,
        tls: ssl.SSLContext | None = None,
        program: Sequence[str] = ("-m", "fechatter"),
        arguments: Sequence[str] = (),
        **settings: str,
    ) -> None:
        self.tls = tls
        self.variables: dict[str, str] = {}
        self._command = [*program, "serve", *arguments]
        self.data_dir = folder / "data"
        self.port = free_port()
        self.database_url = database_url
        self._log = folder / "output"
        self._limit = ["sh", "-c", f'ulimit -n {open_files}; exec "$@"', "sh"] if open_files else []
        self.settings = {
            "data_dir": str(self.data_dir),
            "port": str(self.port),
            "rate_limits": "off",
            "gateway": GATEWAY,
            **({"database_url": database_url} if database_url else {}),
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the server does not run")
        return self._process

    @property
    def output(self) -> str:
        """Everything that the server has printed and logged since its first start."""
        return self._log.read_text(errors="replace")

    @property
    def setup_token(self) -> str:
        """The token of the printed set-up link. Raises ServerFailed if the server does not print one."""
        wait_until(lambda: bool(self._setup_tokens()), self.process, self._log)
        return self._setup_tokens()[-1]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> float:
        """Start the server and return the seconds until its first response. Raises ServerFailed."""
        started = time.monotonic()
        self.launch()
        wait_until(self._answers, self.process, self._log)
        seconds = time.monotonic() - started
        scheme = "https" if self.tls else "http"
        wait_until(lambda: f"Fechatter is at {scheme}://127.0.0.1:{self.port}" in self.output, self.process, self._log)
        return seconds

    def launch(self) -> None:
        """Start the server without waiting for it."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._limit, sys.executable, *self._command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env=self.environment(),
                start_new_session=True,
            )

    def expect_failed_start(self) -> str:
        """Start a server that must refuse to start, and return its output."""
        before = len(self.output) if self._log.exists() else 0
        self.launch()
        code = self.process.wait(STOP_SECONDS)
        self._process = None
        if code == 0:
            raise RuntimeError("the server exited with 0")
        return self.output[before:]

    def kill(self) -> None:
        """Kill the server and all its processes, as a power cut would."""
        if self._process is not None:
            kill_all(self._process)
            self._process = None

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Stop the server with a signal and return its exit code and the seconds that it took."""
        asked = time.monotonic()
        self.process.send_signal(number)
        return self.wait(), time.monotonic() - asked

    def wait(self) -> int:
        """Wait for the server to exit and return its exit code."""
        code = self.process.wait(STOP_SECONDS * 2)
        self._process = None
        return code

    def wait_for_output(self, text: str, since: int = 0) -> None:
        """Return once the output contains the text, from character `since` on. Raises ServerFailed."""
        wait_until(lambda: text in self.output[since:], self.process, self._log)

    def cpu_seconds(self) -> float:
        """The CPU time that the server has used since its start.

        Unlike elapsed time, it does not depend on other processes.
        """
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def memory_bytes(self) -> int:
        """The resident memory of the server."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def connections(self) -> int:
        """The number of connections that the server has accepted and not closed."""
        connections = psutil.Process(self.process.pid).net_connections("tcp")
        return sum(connection.status == psutil.CONN_ESTABLISHED for connection in connections)

    def _setup_tokens(self) -> list[str]:
        return re.findall(r"/setup#token=(\S+)\n", self.output)

    def environment(self) -> dict[str, str]:
        """The environment variables of the server and of commands beside it."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return kept | self.variables | {f"FECHATTER_{key.upper()}": value for key, value in self.settings.items()}

    def _answers(self) -> bool:
        connection = (
            http.client.HTTPSConnection("localhost", self.port, timeout=STOP_SECONDS, context=self.tls)
            if self.tls
            else http.client.HTTPConnection("127.0.0.1", self.port, timeout=STOP_SECONDS)
        )
        try:
            connection.request("GET", "/health/simple")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()
