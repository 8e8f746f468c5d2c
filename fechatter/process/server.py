"""Owns the process: signals, listening socket, stop.

A background task that dies stops the process in the same order as a signal does (`fechatter/stopping.py`), but with a
non-zero exit code.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from fechatter.api.application import Application
from fechatter.api.client_pages import client_pages
from fechatter.api.middleware.behind_gateway import BehindGateway
from fechatter.api.middleware.websockets import WebSockets
from fechatter.api.routes import WITHOUT_SECRETS
from fechatter.app import create_app
from fechatter.gateway.certificates import ServedCertificates
from fechatter.gateway.front import Front, Keeps, Stores
from fechatter.gateway.heads import CacheHeads
from fechatter.gateway.private_socket import private_socket
from fechatter.loops import SURVIVED, LoopState
from fechatter.process.address import bind, unix_socket
from fechatter.process.listening import GATEWAY_SECONDS, Listening
from fechatter.process.open_files import most_connections
from fechatter.process.reloading import Reloading
from fechatter.process.systemd import ServiceManager
from fechatter.services import Services
from fechatter.settings import Settings
from fechatter.settings.urls import EVERY_ADDRESS, public_url
from fechatter.stopping import Stage
from fechatter.storage.engines.errors import StorageLost
from fechatter.storage.server import is_set_up
from fechatter.telemetry import logs
from fechatter.telemetry.faults import describe_error

log = logging.getLogger(__name__)

HARD_STOP_SECONDS = 10.0
"""The limit for the whole stop."""
LAST_ANSWERS_SECONDS = 1.5
"""How long a stop waits for open connections. Silent connections may have longer time limits."""
SWITCH_INTERVAL_SECONDS = 0.0005
"""Maximum wait of the writer's thread for the interpreter's lock after each statement. Python's default is 5 ms."""

STANDARD_OUTPUT, STANDARD_ERROR = 1, 2


class RunningServer:
    """One server process, from settings to exit code.

    Args:
        reread: returns the current settings. Raises StartError.
        examine: checks the installation and logs recommendations; runs once, on its own thread.
    """

    def __init__(self, settings: Settings, reread: Callable[[], Settings], examine: Callable[[], None]) -> None:
        self._settings = settings
        self._reread = reread
        self._examine = examine
        self._manager = ServiceManager(os.environ)
        self._stop = asyncio.Event()
        self._reason = ""
        self._died = False
        self._signals = 0
        self._starting: asyncio.Task[object] | None = None
        self._reload: Callable[[], None] | None = None
        self._on_terminal = os.isatty(STANDARD_ERROR)

    async def run(self) -> int:
        """Serve until a signal arrives or a task dies; return the exit code. Raises StartError."""
        self._starting = asyncio.current_task()
        try:
            return await self._run()
        except asyncio.CancelledError:
            log.info("stopped before the start was complete: %s", self._reason)
            return 0

    async def _run(self) -> int:
        sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
        logs.set_up(self._settings)
        self._handle_signals(asyncio.get_running_loop())
        served = await _served_certificates(self._settings)
        connections = most_connections(self._settings)
        with bind(self._settings) as bound:
            app = create_app(self._settings, on_death=self._task_died)
            async with app.router.lifespan_context(app):
                if self._settings.gateway:
                    await self._listen_behind_gateway(app, bound, connections, served)
                else:
                    served_app = WebSockets(app)
                    listening = Listening(served_app, bound, connections, app.services.tasks, websockets=True)
                    await listening.serve()
                    self._begin(listening, None, app.services)
                await self._announce(app.services, bound)
                await self._stop.wait()
                self._begin_to_stop()
        return 1 if self._died else 0

    def _handle_signals(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.set_exception_handler(logs.report)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled, number)
        loop.add_signal_handler(signal.SIGHUP, self._hung_up)

    async def _listen_behind_gateway(
        self, app: Application, bound: socket.socket, connections: int, served: ServedCertificates | None
    ) -> None:
        """Start Granian on a socket of its own, then the gateway."""
        services, opened = app.services, ExitStack()
        services.stopping.add(Stage.BACKENDS, opened.close)
        inner = opened.enter_context(private_socket(self._settings.data_dir))
        native = None if served is None else served.native
        access = logs.open_access_log() if self._settings.access_log else None
        more = opened.enter_context(unix_socket(self._settings.unix_socket))
        upstream, keeps = f"unix:{inner.getsockname()}", _keeps(services)
        front = Front(
            self._settings,
            [upstream],
            connections,
            _stores(services),
            native,
            client_pages(),
            services.hub.native,
            access,
            keeps,
        )
        inside = BehindGateway(app, WITHOUT_SECRETS, labels=keeps is not None)
        listening = Listening(inside, inner, front.upstream_connections * 2, services.tasks, GATEWAY_SECONDS)
        await listening.serve()
        self._begin(listening, served, services, front)
        front.start([bound, *more])
        if keeps is not None:
            heads = CacheHeads(services.database, keeps[0])
            services.process.append(heads.state)
            services.tasks.start("response cache", heads.run())
        if served is not None:
            services.process.append(served.state)
            services.tasks.start("certificate files", served.watch())
        services.watch.gateway, services.watch.senders = front.counters, front.senders

    def _begin(
        self,
        listening: Listening,
        certificates: ServedCertificates | None,
        services: Services,
        front: Front | None = None,
    ) -> None:
        """Prepare the stop and the reload of a server that listens."""
        services.stopping.add(Stage.ACCEPTING, listening.stop if front is None else front.stop_accepting)
        services.stopping.add(Stage.ANSWERS, lambda: _last_answers(listening, front))
        reloading = Reloading(self._settings, certificates, self._reread, self._manager)
        services.tasks.start("reload", reloading.run())
        self._reload = reloading.ask
        self._starting = None

    async def _announce(self, services: Services, bound: socket.socket) -> None:
        """Print the server's address and, if there is no owner yet, the link that creates the first one."""
        services.tasks.start("service manager", self._manager.keep_alive())
        address = public_url(self._settings, bound.getsockname()[1])
        _print(f"Fechatter is at {address}")
        if self._settings.public_url is None and self._settings.host in EVERY_ADDRESS:
            _print("It listens on every address of this machine; set FECHATTER_PUBLIC_URL to the one that people use.")
        if unused := self._settings.unused():
            log.warning("these settings have no effect in this version: %s", ", ".join(unused))
        services.tasks.start("first owner", self._invite_first(services, address))
        self._manager.ready()
        # Not a thread of the loop's executor, because a stop would wait for it.
        threading.Thread(target=self._examine, name="doctor", daemon=True).start()

    async def _invite_first(self, services: Services, address: str) -> None:
        """Retry until the database reports whether there is an owner."""
        state, pause = LoopState("first_owner"), 0.0
        while True:
            await asyncio.sleep(pause)
            try:
                set_up = await services.database.read(is_set_up)
                break
            except SURVIVED as error:
                state.failed(error)
                pause = state.pause_seconds(0.0)
        if not set_up:
            _print(f"Create the first owner and workspace: {address}/setup#token={services.secrets.setup_token}")

    def _signalled(self, number: signal.Signals) -> None:
        self._signals += 1
        if self._signals > 1:
            os._exit(130)
        self._end(number.name)
        if self._starting is not None:
            # The start may be waiting for a database that does not answer.
            self._starting.cancel()

    def _hung_up(self) -> None:
        """Reload. A server that was started on a terminal stops with that terminal instead."""
        if self._on_terminal and not os.isatty(STANDARD_ERROR):
            # Later output has nowhere to go, and writing it would fail.
            with open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), STANDARD_OUTPUT)
                os.dup2(nowhere.fileno(), STANDARD_ERROR)
            self._end("its terminal was closed")
        elif self._reload is not None:
            self._reload()

    def _task_died(self, name: str, error: BaseException) -> None:
        self._died = True
        reason = str(error) if isinstance(error, StorageLost) else f"its task '{name}' died: {describe_error(error)}"
        logs.announce(f"Fechatter stops: {reason}")
        self._end(f"its task '{name}' died")

    def _end(self, reason: str) -> None:
        self._reason = self._reason or reason
        self._stop.set()

    def _begin_to_stop(self) -> None:
        log.info("stopping: %s", self._reason)
        self._manager.stopping(self._reason)
        asyncio.get_running_loop().call_later(HARD_STOP_SECONDS, _give_up)


async def _served_certificates(settings: Settings) -> ServedCertificates | None:
    """Load the certificates, if the gateway serves HTTPS. Raises StartError."""
    if settings.tls_certificate is None:
        return None
    return await asyncio.to_thread(ServedCertificates, settings)


def _stores(services: Services) -> Stores:
    quotas = services.quotas
    return Stores(
        services.tokens.verifier, quotas.messages.counter, services.sender.intake, quotas.gateway_batch_limits()
    )


def _keeps(services: Services) -> Keeps | None:
    kept = services.responses.native
    return None if kept is None else (kept, services.tokens.verifier, services.quotas.requests.counter)


def _give_up() -> None:
    log.critical("stopping took more than %d seconds", HARD_STOP_SECONDS)
    os._exit(1)


async def _last_answers(listening: Listening, front: Front | None) -> None:
    ended = await (listening if front is None else front).ended(LAST_ANSWERS_SECONDS)
    if front is not None:
        await front.stop()
        listening.stop()
        await listening.ended(LAST_ANSWERS_SECONDS)
    if not ended:
        log.info("closing connections that are silent or sent only half of a request")
        asyncio.get_running_loop().set_exception_handler(_report_unless_late)


def _print(line: str) -> None:
    """Print a line. If standard output cannot be written, such as a file on a full disk, log that and continue."""
    try:
        print(line, flush=True)
    except OSError as error:
        log.warning("standard output cannot be written: %s", error)


def _report_unless_late(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Report an error, unless Granian only set the result of a future that was already cancelled."""
    if not isinstance(context.get("exception"), asyncio.InvalidStateError):
        logs.report(loop, context)
