"""Reloads the settings on SIGHUP: certificate, key and log level change while the server runs.

After an error nothing changes and the error is logged. The log names each changed setting that needs a restart.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from weakref import WeakSet

from fechatter.errors import StartError
from fechatter.hub.listener import CloseReason
from fechatter.process.certificates import Certificate, load_certificate
from fechatter.process.listening import Listening
from fechatter.process.systemd import ServiceManager
from fechatter.process.trial import try_out
from fechatter.services import Services
from fechatter.settings import Settings, describe
from fechatter.telemetry.logs import set_level

log = logging.getLogger(__name__)

CHANGEABLE = ("log_level", "tls_certificate", "tls_key")
SETTLED_SECONDS = 30.0
"""After this time, requests that began on the earlier certificate have ended or become streams."""
EARLIER_SECONDS = 3600.0
"""How long streams on an earlier certificate stay open."""
SPREAD_SECONDS = 60.0
"""Streams on an earlier certificate are closed over this period, because all of them reconnect."""


class Reloading:
    """Reloads the settings of a running server.

    Args:
        certificate: the certificate in use.
        reread: returns the current settings. Raises StartError.
    """

    def __init__(
        self,
        settings: Settings,
        certificate: Certificate | None,
        reread: Callable[[], Settings],
        listening: Listening,
        services: Services,
        manager: ServiceManager,
    ) -> None:
        self._settings = settings
        self._certificate = certificate
        self._reread = reread
        self._listening = listening
        self._hub = services.hub
        self._tasks = services.tasks
        self._manager = manager
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Request a reload, which `run` carries out."""
        self._asked.set()

    async def run(self) -> None:
        """Reload after each `ask`."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            self._manager.reloading()
            try:
                await self._reload()
            except StartError as error:
                log.error("not reloaded, nothing has changed: %s", str(error))
            self._manager.ready()

    async def _reload(self) -> None:
        settings = self._reread()
        fixed = [setting.key for setting in describe() if setting.key not in CHANGEABLE]
        if (settings.tls_certificate is None) != (self._certificate is None):
            fixed.append("tls_certificate")
        elif (certificate := load_certificate(settings)) != self._certificate:
            if certificate is not None:
                await try_out(certificate)
            await self._listening.serve(certificate)
            self._certificate = certificate
            self._tasks.start("streams on an earlier certificate", self._end_earlier())
            log.info("the certificate has changed")
        set_level(settings.log_level)
        for key in fixed:
            if getattr(settings, key) != getattr(self._settings, key):
                log.warning("the setting %s has changed; it needs a restart", key)
        log.info("reloaded")

    async def _end_earlier(self) -> None:
        """Close the streams that began on the earlier certificate, at the end of their time."""
        await asyncio.sleep(SETTLED_SECONDS)
        earlier = WeakSet(self._hub.streams())
        await asyncio.sleep(EARLIER_SECONDS)
        for listener in list(earlier):
            listener.close(CloseReason.SHUTDOWN)
            await asyncio.sleep(SPREAD_SECONDS / len(earlier))
