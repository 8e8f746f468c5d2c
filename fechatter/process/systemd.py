"""Notifies a service manager that the process is ready, reloading, stopping or alive.

Without a service manager (no NOTIFY_SOCKET), nothing is sent. The protocol is sd_notify(3): one datagram of `KEY=value`
lines to a Unix socket, whose name may be abstract (`@…`).
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
    """Sends the state of this process to its service manager. An error is logged and has no other effect.

    Attributes:
        watchdog_seconds: the service manager kills a process that has been silent for this long; None if it does not.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        name = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + name[1:] if name.startswith("@") else name
        watched = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        microseconds = environ.get("WATCHDOG_USEC", "")
        self.watchdog_seconds = (
            int(microseconds) / 1e6 if self._address and watched and microseconds.isdecimal() else None
        )

    def ready(self) -> None:
        """Report that the server serves, after the start or a reload."""
        self._send("READY=1", "STATUS=Serving.")

    def reloading(self) -> None:
        """Report a reload; `ready` reports its end."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self, reason: str) -> None:
        """Report that the server stops."""
        self._send("STOPPING=1", f"STATUS=Stopping: {reason}.")

    async def keep_alive(self) -> None:
        """Report twice per watchdog period from the event loop, so that the service manager kills a hanging loop."""
        while self.watchdog_seconds is not None:
            self._send("WATCHDOG=1")
            await asyncio.sleep(self.watchdog_seconds / 2)

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.settimeout(SEND_SECONDS)
                sender.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            log.warning("cannot send %s to the service manager: %s", lines[0], error)
