"""Owns the process: the signals, the listening socket, the order of stopping, one hard time limit.

Stop order: stop accepting, close live streams with a reason, let the writer answer what waits, stop the workers, close
the tools in reverse. A background task that died stops the process the same way, with a non-zero code.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import socket
import sys
import time
from typing import Any

from fechatter.api.application import Application
from fechatter.api.routes import ROUTES
from fechatter.app import open_services
from fechatter.errors import StartError
from fechatter.listening import listener, most_connections
from fechatter.services import Services
from fechatter.settings import Settings
from fechatter.storage.server import is_set_up

log = logging.getLogger(__name__)

HARD_STOP_SECONDS = 10.0
LAST_ANSWERS_SECONDS = 1.0
"""How long a stop waits for connections; what is silent or half sent would keep it waiting for its own limit."""
SWITCH_INTERVAL_SECONDS = 0.0005
"""The writer's thread waits at most so long for the interpreter's lock after each statement (5 ms by default)."""
EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Hosts that stand for all addresses of the machine: where to find the server from the machine itself."""


def check_port(settings: Settings, port: int) -> None:
    """Raises StartError when the address cannot be listened on."""
    host = settings.host
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        reason = "is in use" if taken else f"cannot be used ({error.strerror})"
        remedy = "FECHATTER_PORT (or FECHATTER_HOST)" if taken else "FECHATTER_HOST (or FECHATTER_PORT)"
        where = f"Port {port}{_given(settings, 'port')} on {host}{_given(settings, 'host')}"
        raise StartError(f"{where} {reason}; set {remedy}.") from error


def _given(settings: Settings, key: str) -> str:
    """Where the value came from, if not from the defaults: a shell may export a HOST that nobody thinks of."""
    return f" (from {settings.sources[key]})" if key in settings.sources else ""


def local_address(host: str, port: int) -> str:
    """The server's address as one opens it on this machine."""
    host = EVERY_ADDRESS.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


class Server:
    """One server process, from settings to exit code."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._port = settings.port or free_port(settings.host)
        self._stop = asyncio.Event()
        self._died: str | None = None
        self._signals = 0

    async def run(self) -> int:
        """Serve until a signal or a dead task; returns the exit code. Raises StartError."""
        sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled)
        check_port(self._settings, self._port)
        connections = most_connections(self._settings)
        async with open_services(self._settings, self._task_died) as services:
            await self._serve(services, connections)
            self._limit_the_stop(loop)
        return 1 if self._died else 0

    async def _serve(self, services: Services, connections: int) -> None:
        app = Application(ROUTES)
        app.services = services
        listening = listener(app, self._settings, self._port, connections)
        serving = services.tasks.start("http server", listening.serve())
        await self._announce(services)
        stopping = services.tasks.start("wait for a signal", self._stop.wait())
        await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
        log.info("stopping")
        services.hub.stop()
        listening.stop()  # type: ignore[no-untyped-call]  # Granian has no types here
        if not (await asyncio.wait([serving], timeout=LAST_ANSWERS_SECONDS))[0]:
            log.info("connections that were silent or half sent are cut off")
            asyncio.get_running_loop().set_exception_handler(_unless_late)

    async def _announce(self, services: Services) -> None:
        """Say where the server is, once it answers, and how to make the first owner while there is none."""
        await _answers(self._settings.host, self._port)
        address = self._settings.public_url or local_address(self._settings.host, self._port)
        print(f"Fechatter is at {address}", flush=True)
        if self._settings.public_url is None and self._settings.host in EVERY_ADDRESS:
            print("It listens on every address of this machine; set FECHATTER_PUBLIC_URL to the one people use.", flush=True)
        if not await services.database.read(is_set_up):
            print(f"Make the first owner and workspace: {address}/setup#token={services.secrets.setup_token}", flush=True)
        for name in self._settings.unused():
            log.warning("the setting %s is accepted, but nothing in this version uses it", name)

    def _signalled(self) -> None:
        self._signals += 1
        if self._signals > 1:
            os._exit(130)
        self._stop.set()

    def _task_died(self, name: str, error: BaseException) -> None:
        self._died = name
        print(f"Fechatter stops: its task '{name}' died: {error!r}", file=sys.stderr, flush=True)
        self._stop.set()

    def _limit_the_stop(self, loop: asyncio.AbstractEventLoop) -> None:
        def give_up() -> None:
            log.critical("stopping took more than %d seconds", HARD_STOP_SECONDS)
            os._exit(1)

        loop.call_later(HARD_STOP_SECONDS, give_up)


async def _answers(host: str, port: int) -> None:
    """Return once the port accepts connections. Raises StartError."""
    until = time.monotonic() + HARD_STOP_SECONDS
    while time.monotonic() < until:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(0.005)
            continue
        writer.close()
        return
    raise StartError(f"Port {port} on {host} does not answer.")


def _unless_late(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Granian tells of its end with a future that was cancelled meanwhile; all else is told as ever."""
    if not isinstance(context.get("exception"), asyncio.InvalidStateError):
        loop.default_exception_handler(context)
