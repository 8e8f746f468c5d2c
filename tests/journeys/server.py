"""The real server as a process: started as an operator starts it, killed as a power cut would."""

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

import psutil

from tests.servers.process import STOP_SECONDS, free_port, kill_all, wait_until

ROOT = Path(__file__).parents[2]


class ServerProcess:
    """One `fechatter serve` on 127.0.0.1; it keeps port and data folder over `kill` and `start`.

    Args:
        folder: where its data folder and its output are.
        database_url: an empty PostgreSQL database, or None for SQLite in the data folder.
        open_files: how many files the system lets it open, where that is less than usual.
        tls: what its clients trust, when its settings make it serve https.
        program: what Python runs, where that is not the command itself.
        settings: further settings by their keys, such as `signup="open"`.
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
        """What it printed and logged since it was first started."""
        return self._log.read_text(errors="replace")

    @property
    def setup_token(self) -> str:
        """The secret of the link that it prints after its address. Raises ServerFailed when it does not."""
        wait_until(lambda: bool(self._setup_tokens()), self.process, self._log)
        return self._setup_tokens()[-1]

    def start(self) -> float:
        """Start it; returns the seconds to its first answered request. Raises ServerFailed."""
        started = time.monotonic()
        self.launch()
        wait_until(self._answers, self.process, self._log)
        seconds = time.monotonic() - started
        scheme = "https" if self.tls else "http"
        wait_until(lambda: f"Fechatter is at {scheme}://127.0.0.1:{self.port}" in self.output, self.process, self._log)
        return seconds

    def launch(self) -> None:
        """Start it without waiting for an answer."""
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

    def refused(self) -> str:
        """Start it where it cannot: returns what it says, once it ended with a failure."""
        before = len(self.output) if self._log.exists() else 0
        self.launch()
        code = self.process.wait(STOP_SECONDS)
        self._process = None
        if code == 0:
            raise RuntimeError("the server ended as if all were well")
        return self.output[before:]

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process is not None:
            kill_all(self._process)
            self._process = None

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """End it in good order; returns its exit code and the seconds it took."""
        asked = time.monotonic()
        self.process.send_signal(number)
        return self.wait(), time.monotonic() - asked

    def wait(self) -> int:
        """Its exit code, once it ended."""
        code = self.process.wait(STOP_SECONDS * 2)
        self._process = None
        return code

    def said(self, text: str, since: int = 0) -> None:
        """Return once it has printed or logged this, after so many characters. Raises ServerFailed."""
        wait_until(lambda: text in self.output[since:], self.process, self._log)

    def cpu_seconds(self) -> float:
        """What it has computed since it was started; unlike the clock it does not count what others do."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def memory_bytes(self) -> int:
        """What it holds of the machine's memory."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def _setup_tokens(self) -> list[str]:
        return re.findall(r"/setup#token=(\S+)\n", self.output)

    def environment(self) -> dict[str, str]:
        """The variables that it, and commands beside it, are started with."""
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
