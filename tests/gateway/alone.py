"""A stand-alone gateway as a process, and upstreams that tests can stop and start again."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from tests.gateway.upstream import Received, Upstream
from tests.journeys.server import ROOT
from tests.journeys.wire import Answer, Wire
from tests.servers.process import STOP_SECONDS, free_port, kill_all, wait_until

QUICK = """
health_interval_seconds = 0.1
health_timeout_seconds = 0.5
failures = 2
pause_seconds = 0.2
longest_pause_seconds = 0.4
"""
"""Settings of a routes file with which upstreams are found within a test."""


class GatewayProcess:
    """One `fechatter gateway` on 127.0.0.1.

    Args:
        folder: for the output and the routes file.
        routes: the content of the routes file.
    """

    def __init__(self, folder: Path, *arguments: str, routes: str = QUICK, **settings: str) -> None:
        self.port, self.inspection = free_port(), free_port()
        self.file = folder / "routes.toml"
        self.file.write_text(routes)
        self._log = folder / "gateway.log"
        self._command = [
            *(sys.executable, "-m", "fechatter", "gateway", *arguments),
            *("--routes", str(self.file), "--inspection", f"127.0.0.1:{self.inspection}"),
        ]
        self._environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "FECHATTER_PORT": str(self.port),
            **{f"FECHATTER_{key.upper()}": value for key, value in settings.items()},
        }

    @property
    def output(self) -> str:
        return self._log.read_text(errors="replace")

    async def start(self) -> None:
        await asyncio.to_thread(self._start)

    def _start(self) -> None:
        self._launch()
        wait_until(lambda: "The gateway is at" in self.output, self.process, self._log)

    def _launch(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT, env=self._environment
            )

    async def wait_for_output(self, pattern: str) -> None:
        found = lambda: re.search(pattern, self.output) is not None  # noqa: E731
        await asyncio.to_thread(wait_until, found, self.process, self._log)

    async def stop(self) -> int:
        """Stop with SIGTERM and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self.process.wait, STOP_SECONDS)

    async def reload(self, logged: str) -> None:
        """Reload with SIGHUP, and return once the text is logged again."""
        before = self.output.count(logged)
        self.process.send_signal(signal.SIGHUP)
        await asyncio.to_thread(wait_until, lambda: self.output.count(logged) > before, self.process, self._log)

    def expect_failed_start(self) -> int:
        """Start a gateway that must refuse to start, and return its exit code."""
        self._launch()
        return self.process.wait(STOP_SECONDS)

    def kill(self) -> None:
        if hasattr(self, "process"):
            kill_all(self.process)

    async def ask(
        self, method: str = "GET", path: str = "/", body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request over a connection of its own."""
        wire = await Wire.open(self.port)
        try:
            return await wire.request(method, path, body, headers)
        finally:
            wire.close()

    async def inspect(self, path: str) -> Answer:
        wire = await Wire.open(self.inspection)
        try:
            return await wire.request("GET", path)
        finally:
            wire.close()

    async def health(self) -> dict[str, Any]:
        return dict(orjson.loads((await self.inspect("/health")).body))

    async def wait_for_status(self, status: str) -> None:
        """Return once `/health` has this status."""
        while (await self.health())["status"] != status:
            continue


Start = Callable[..., Awaitable[GatewayProcess]]
"""Starts a gateway in front of some of the upstreams."""


class Switchable:
    """An upstream that answers with its name, except for health checks, and that can be switched off and on."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.upstream = Upstream()
        self.upstream.answer = self.answer
        self.port = free_port()
        self.checks = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def received(self) -> list[Received]:
        """The requests so far, without health checks."""
        return [each for each in self.upstream.received if each.target != "/health/simple"]

    async def on(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def off(self) -> None:
        """Break every connection and accept no more, as a killed process would."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self.upstream.serve(reader, writer)
        finally:
            self._writers.discard(writer)

    async def answer(self, request: Received, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer with the name of the upstream."""
        name = self.name.encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(name), name))
        await writer.drain()
