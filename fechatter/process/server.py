"""Owns the process: the signals, the listening socket, the order of stopping, one hard time limit.

Stop order: stop accepting, close live streams with a reason, let the writer answer what waits, stop the workers, close
the tools in reverse. A background task that died stops the process the same way, with a non-zero code.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from fechatter.api.application import Application
from fechatter.api.routes import ROUTES
from fechatter.app import open_services
from fechatter.loops import SURVIVED, LoopState
from fechatter.process.address import bind
from fechatter.process.certificates import load_certificate
from fechatter.process.listening import Listening
from fechatter.process.open_files import most_connections
from fechatter.process.reloading import Reloading
from fechatter.process.systemd import ServiceManager
from fechatter.process.trial import try_out
from fechatter.services import Services
from fechatter.settings import Settings
from fechatter.settings.urls import EVERY_ADDRESS, public_url
from fechatter.storage.engines.base import StorageLost
from fechatter.storage.server import is_set_up
from fechatter.telemetry import logs
from fechatter.telemetry.faults import told

log = logging.getLogger(__name__)

HARD_STOP_SECONDS = 10.0
LAST_ANSWERS_SECONDS = 1.5
"""How long a stop waits for connections; what is silent or half sent would keep it waiting for its own limit."""
SWITCH_INTERVAL_SECONDS = 0.0005
"""The writer's thread waits at most so long for the interpreter's lock after each statement (5 ms by default)."""

STANDARD_OUTPUT, STANDARD_ERROR = 1, 2


class Server:
    """One server process, from settings to exit code.

    Args:
        reread: returns the settings as they are by now.
        examine: looks for what could be better and logs it; called once, on a thread of its own.
    """

    def __init__(self, settings: Settings, reread: Callable[[], Settings], examine: Callable[[], None]) -> None:
        self._settings = settings
        self._reread = reread
        self._examine = examine
        self._manager = ServiceManager(os.environ)
        self._stop = asyncio.Event()
        self._why = ""
        self._died = False
        self._signals = 0
        self._starting: asyncio.Task[object] | None = None
        self._reload: Callable[[], None] | None = None
        self._on_terminal = os.isatty(STANDARD_ERROR)

    async def run(self) -> int:
        """Serve until a signal or a dead task; returns the exit code. Raises StartError."""
        self._starting = asyncio.current_task()
        try:
            return await self._run()
        except asyncio.CancelledError:
            log.info("stopped before it served anybody: %s", self._why)
            return 0

    async def _run(self) -> int:
        sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
        logs.set_up(self._settings)
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(logs.report)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled, number)
        loop.add_signal_handler(signal.SIGHUP, self._hung_up)
        certificate = load_certificate(self._settings)
        if certificate is not None:
            await try_out(certificate)
        connections = most_connections(self._settings)
        with bind(self._settings) as held:
            async with open_services(self._settings, self._task_died) as services:
                app = Application(ROUTES, settings=self._settings)
                app.services = services
                listening = Listening(app, held, connections, services.tasks)
                await listening.serve(certificate)
                reloading = Reloading(self._settings, certificate, self._reread, listening, services, self._manager)
                services.tasks.start("reload", reloading.run())
                self._reload = reloading.ask
                await self._serve(services, listening, held.getsockname()[1])
                self._limit_the_stop(loop)
        return 1 if self._died else 0

    async def _serve(self, services: Services, listening: Listening, port: int) -> None:
        self._starting = None
        services.tasks.start("tell the service manager", self._manager.keep_alive())
        await self._announce(services, port)
        self._manager.ready()
        # Not of the loop's threads: a stop does not wait for it.
        threading.Thread(target=self._examine, name="doctor", daemon=True).start()
        await self._stop.wait()
        log.info("stopping: %s", self._why)
        self._manager.stopping(self._why)
        listening.stop()
        services.hub.stop()
        # A hash takes long, and hundreds may wait for theirs.
        services.passwords.close()
        if not await listening.ended(LAST_ANSWERS_SECONDS):
            log.info("connections that were silent or half sent are cut off")
            asyncio.get_running_loop().set_exception_handler(_unless_late)

    async def _announce(self, services: Services, port: int) -> None:
        """Say where the server is, and how to make the first owner while there is none."""
        address = public_url(self._settings, port)
        _tell(f"Fechatter is at {address}")
        if self._settings.public_url is None and self._settings.host in EVERY_ADDRESS:
            _tell("It listens on every address of this machine; set FECHATTER_PUBLIC_URL to the one people use.")
        services.tasks.start("first owner", self._invite_first(services, address))
        for name in self._settings.unused():
            log.warning("the setting %s is accepted, but nothing in this version uses it", name)

    async def _invite_first(self, services: Services, address: str) -> None:
        """Once the database can tell that there is no owner yet."""
        asking, pause = LoopState("first_owner"), 0.0
        while True:
            await asyncio.sleep(pause)
            try:
                set_up = await services.database.read(is_set_up)
                break
            except SURVIVED as error:
                asking.failed(error)
                pause = asking.pause_seconds(0.0)
        if not set_up:
            _tell(f"Make the first owner and workspace: {address}/setup#token={services.secrets.setup_token}")

    def _signalled(self, number: signal.Signals) -> None:
        self._signals += 1
        if self._signals > 1:
            os._exit(130)
        self._end(number.name)
        if self._starting is not None:
            # It may wait for a database that does not answer.
            self._starting.cancel()

    def _hung_up(self) -> None:
        """Reload; but a server that was started on a terminal ends with it."""
        if self._on_terminal and not os.isatty(STANDARD_ERROR):
            # What is said from now on has nowhere to go, and would fail.
            with open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), STANDARD_OUTPUT)
                os.dup2(nowhere.fileno(), STANDARD_ERROR)
            self._end("its terminal has gone")
        elif self._reload is not None:
            self._reload()

    def _task_died(self, name: str, error: BaseException) -> None:
        self._died = True
        why = str(error) if isinstance(error, StorageLost) else f"its task '{name}' died: {told(error)}"
        logs.say(f"Fechatter stops: {why}")
        self._end(f"its task '{name}' died")

    def _end(self, why: str) -> None:
        self._why = self._why or why
        self._stop.set()

    def _limit_the_stop(self, loop: asyncio.AbstractEventLoop) -> None:
        def give_up() -> None:
            log.critical("stopping took more than %d seconds", HARD_STOP_SECONDS)
            os._exit(1)

        loop.call_later(HARD_STOP_SECONDS, give_up)


def _tell(line: str) -> None:
    """On standard output, which may be a file on a full disk: no reason not to serve."""
    try:
        print(line, flush=True)
    except OSError as error:
        log.warning("standard output takes nothing: %s", error)


def _unless_late(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Granian tells of its end with a future that was cancelled meanwhile; all else is told as ever."""
    if not isinstance(context.get("exception"), asyncio.InvalidStateError):
        logs.report(loop, context)
