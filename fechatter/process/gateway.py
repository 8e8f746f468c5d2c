"""Owns the process of a stand-alone gateway: signals, listening socket, reload, stop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable

from fechatter.errors import StartError
from fechatter.gateway.alone import StandAlone
from fechatter.gateway.certificates import ServedCertificates
from fechatter.gateway.inspection import Inspection
from fechatter.gateway.plan import Plan
from fechatter.process.address import bind, unix_socket
from fechatter.process.open_files import most_connections
from fechatter.process.systemd import ServiceManager
from fechatter.settings import Settings
from fechatter.settings.urls import public_url
from fechatter.tasks import Tasks
from fechatter.telemetry import logs

log = logging.getLogger(__name__)

DRAIN_SECONDS = 10.0
"""How long a stop waits for requests in progress."""
STREAMS_SECONDS = 1.0
"""After this time, a stop ends live streams if no other request is in progress. Their clients reconnect elsewhere."""
CHECK_SECONDS = 0.1


class RunningGateway:
    """One gateway process, from settings to exit code.

    Args:
        plan: returns the current plan. Raises StartError.
        reread: returns the current settings. Raises StartError.
        key: signs access tokens; None leaves the check of tokens to the upstreams.
    """

    def __init__(
        self, settings: Settings, plan: Callable[[], Plan], reread: Callable[[], Settings], key: bytes | None
    ) -> None:
        self._settings = settings
        self._plan = plan
        self._reread = reread
        self._key = key
        self._manager = ServiceManager(os.environ)
        self._stop = asyncio.Event()
        self._reload = asyncio.Event()
        self._tasks = Tasks(self._task_died)
        self._reason = ""
        self._died = False

    async def run(self, inspection: tuple[str, int] | None) -> int:
        """Serve until a signal arrives; return the exit code.

        Args:
            inspection: the private address of `/metrics` and `/health`, if there is one.

        Raises:
            StartError: the gateway cannot start.
        """
        logs.set_up(self._settings)
        self._handle_signals(asyncio.get_running_loop())
        settings = self._settings
        certificates = None if settings.tls_certificate is None else ServedCertificates(settings)
        native = None if certificates is None else certificates.native
        access = logs.open_access_log() if settings.access_log else None
        gateway = StandAlone(settings, self._plan(), most_connections(settings), native, self._key, access)
        with bind(settings) as held, unix_socket(settings.unix_socket) as more:
            inspecting = None if inspection is None else await Inspection(gateway.counters).start(*inspection)
            gateway.start([held, *more])
            print(f"The gateway is at {public_url(settings, held.getsockname()[1])}", flush=True)
            self._manager.ready()
            self._begin(gateway, certificates)
            await self._stop.wait()
            log.info("stopping: %s", self._reason)
            self._manager.stopping(self._reason)
        await _drain(gateway)
        await self._tasks.stop()
        if inspecting is not None:
            inspecting.close()
        return 1 if self._died else 0

    def _handle_signals(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.set_exception_handler(logs.report)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled, number)
        loop.add_signal_handler(signal.SIGHUP, self._reload.set)

    def _signalled(self, number: signal.Signals) -> None:
        if self._stop.is_set():
            os._exit(130)
        self._end(number.name)

    def _begin(self, gateway: StandAlone, certificates: ServedCertificates | None) -> None:
        self._tasks.start("reload", self._reload_when_asked(gateway, certificates))
        self._tasks.start("service manager", self._manager.keep_alive())
        if certificates is not None:
            self._tasks.start("certificate files", certificates.watch())

    def _task_died(self, name: str, _error: BaseException) -> None:
        self._died = True
        self._end(f"its task '{name}' died")

    def _end(self, reason: str) -> None:
        self._reason = self._reason or reason
        self._stop.set()

    async def _reload_when_asked(self, gateway: StandAlone, certificates: ServedCertificates | None) -> None:
        while True:
            await self._reload.wait()
            self._reload.clear()
            self._manager.reloading()
            try:
                await self._read_again(gateway, certificates)
            except StartError as error:
                log.error("not reloaded: %s", str(error))
            self._manager.ready()

    async def _read_again(self, gateway: StandAlone, certificates: ServedCertificates | None) -> None:
        """Reload all files. Raises StartError: a file cannot be used; nothing has changed."""
        settings, plan = self._reread(), self._plan()
        if certificates is None:
            gateway.reroute(plan)
        elif await certificates.reload(settings, lambda: gateway.reroute(plan)):
            log.info("the certificate has changed")
        logs.set_level(settings.log_level)
        log.info("reloaded: routes to %d upstreams", len(plan.addresses))


async def _drain(gateway: StandAlone) -> None:
    """Answer the requests in progress, then close every connection."""
    gateway.stop_accepting()
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not await asyncio.to_thread(gateway.has_ended, CHECK_SECONDS):
        counted, waited = gateway.counters(), loop.time() - began
        only_streams = waited > STREAMS_SECONDS and counted.forwarding <= counted.streams
        if only_streams or waited > DRAIN_SECONDS:
            log.info("closing %d live streams and connections without a request", counted.open)
            break
    await asyncio.to_thread(gateway.stop)
