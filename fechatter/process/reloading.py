"""Reloads the settings on SIGHUP: certificates, keys and log level change while the server runs.

After an error, nothing changes, and the log states the error. The log also names each changed setting that needs a
restart.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from fechatter.errors import StartError
from fechatter.gateway.certificates import ServedCertificates
from fechatter.process.systemd import ServiceManager
from fechatter.settings import Settings, describe
from fechatter.telemetry.logs import set_level

log = logging.getLogger(__name__)

CHANGEABLE = ("log_level", "tls_certificate", "tls_key", "tls_folder")


class Reloading:
    """Reloads the settings of a running server.

    Args:
        certificates: the certificates in use; None for plain HTTP.
        reread: returns the current settings. Raises StartError.
    """

    def __init__(
        self,
        settings: Settings,
        certificates: ServedCertificates | None,
        reread: Callable[[], Settings],
        manager: ServiceManager,
    ) -> None:
        self._settings = settings
        self._certificates = certificates
        self._reread = reread
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
        if (settings.tls_certificate is None) != (self._certificates is None):
            fixed.append("tls_certificate")
        elif self._certificates is not None and await self._certificates.reload(settings):
            log.info("the certificate has changed")
        set_level(settings.log_level)
        for key in fixed:
            if getattr(settings, key) != getattr(self._settings, key):
                log.warning("the setting %s has changed; it needs a restart", key)
        log.info("reloaded")
