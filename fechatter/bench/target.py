"""The server under load: its address, and its process if it is known."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from fechatter.errors import StartError

P = TypeVar("P", bound=asyncio.Protocol)

CONNECT_SECONDS = 10.0


class LoadTarget(msgspec.Struct, frozen=True):
    """A server to measure; `pid` is its process, if it is known and on this machine."""

    host: str
    port: int
    tls: bool = False
    pid: int | None = None

    async def connect(self, protocol: Callable[[], P]) -> P:
        """Connect, and return the protocol that `protocol` creates. Raises OSError, TimeoutError."""
        context = ssl.create_default_context() if self.tls else None
        async with asyncio.timeout(CONNECT_SECONDS):
            _, made = await asyncio.get_running_loop().create_connection(protocol, self.host, self.port, ssl=context)
        return made

    def cpu_seconds(self) -> float | None:
        """Return the processor time of all threads of the server's process, or None if it is unknown."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            return None
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_bytes(self) -> int | None:
        """Return the resident memory of the server's process, or None if it is unknown."""
        try:
            lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        except OSError:
            return None
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), None)


def parse_target(url: str, pid: int | None, *, owned: bool) -> LoadTarget:
    """Parse a URL. A server on another machine must be `owned` by the user. Raises StartError."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise StartError(f"{url!r} is not a valid URL ({error}).") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise StartError(f"{url!r} is not the URL of a server, such as http://127.0.0.1:6688.")
    if not owned and not _is_loopback(parts.hostname):
        raise StartError(f"{parts.hostname} is not this machine. If the server is yours, add --i-own-this-server.")
    tls = parts.scheme == "https"
    return LoadTarget(parts.hostname, port or (443 if tls else 80), tls, pid)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
