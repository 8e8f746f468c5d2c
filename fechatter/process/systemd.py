"""What a service manager is told: ready, reloading, stopping, alive. Without one (no NOTIFY_SOCKET) nothing is sent.

The protocol is sd_notify(3): one datagram of `KEY=value` lines to a Unix socket, whose name may be abstract (`@…`).
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Mapping

log = logging.getLogger(__name__)

SEND_SECONDS = 1.0


class ServiceManager:
    """Tells the service manager of this process; what it cannot be told is logged and changes nothing else.

    Attributes:
        watchdog_seconds: it ends a process that has not said that it is alive for so long; None when it does not watch.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        name = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + name[1:] if name.startswith("@") else name
        watched = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        microseconds = environ.get("WATCHDOG_USEC", "")
        self.watchdog_seconds = int(microseconds) / 1e6 if self._address and watched and microseconds.isdecimal() else None

    def ready(self) -> None:
        self._tell("READY=1", "STATUS=Serving.")

    def reloading(self) -> None:
        """Until `ready` is told again."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self, why: str) -> None:
        self._tell("STOPPING=1", f"STATUS=Stopping: {why}.")

    async def keep_alive(self) -> None:
        """Say so twice in the time allowed, from the event loop: a loop that hangs says nothing, and is ended."""
        while self.watchdog_seconds is not None:
            self._tell("WATCHDOG=1")
            await asyncio.sleep(self.watchdog_seconds / 2)

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
                to.settimeout(SEND_SECONDS)
                to.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            log.warning("the service manager could not be told %s: %s", lines[0], error)
