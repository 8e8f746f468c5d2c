"""Replaces the certificate of a running Granian: a second one accepts the new connections."""

from __future__ import annotations

import asyncio
from weakref import WeakSet

from fechatter.hub.states import CloseReason
from fechatter.process.certificates import Certificate, load_certificate
from fechatter.process.listening import Listening
from fechatter.process.trial import try_out
from fechatter.services import Services
from fechatter.settings import Settings

SETTLED_SECONDS = 30.0
"""After this time, requests that began on the earlier certificate have ended or become streams."""
EARLIER_SECONDS = 3600.0
"""How long streams on an earlier certificate stay open."""
SPREAD_SECONDS = 60.0
"""Streams on an earlier certificate are closed over this period, because all of them reconnect."""


class GranianCertificate:
    """The certificate in use."""

    def __init__(self, certificate: Certificate, listening: Listening, services: Services) -> None:
        self._certificate = certificate
        self._listening = listening
        self._hub = services.hub
        self._tasks = services.tasks

    async def reload(self, settings: Settings) -> bool:
        """Use the certificate of these settings, and return whether it has changed.

        Raises:
            StartError: it cannot be used; nothing has changed.
        """
        certificate = load_certificate(settings)
        if certificate is None or certificate == self._certificate:
            return False
        await try_out(certificate)
        await self._listening.serve(certificate)
        self._certificate = certificate
        self._tasks.start("streams on an earlier certificate", self._end_earlier())
        return True

    async def _end_earlier(self) -> None:
        """Close the streams that began on the earlier certificate, at the end of their time."""
        await asyncio.sleep(SETTLED_SECONDS)
        earlier = WeakSet(self._hub.streams())
        await asyncio.sleep(EARLIER_SECONDS)
        for listener in list(earlier):
            listener.close(CloseReason.SHUTDOWN)
            await asyncio.sleep(SPREAD_SECONDS / len(earlier))
