"""Configures, starts and stops the native gateway, for `front.py` and `alone.py`."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import Any

import msgspec

from fechatter.errors import StartError, titles
from fechatter.native import AccessLog, Gateway
from fechatter.settings import Settings
from fechatter.settings.urls import uses_https
from fechatter.telemetry.watch import GatewayCounters

BACKLOG = 4096
MIN_PER_ADDRESS = 64
ADDRESS_SHARE = 4
"""One client address may have a quarter of all connections."""
FLUSH_SECONDS = 0.5
"""How long a stop waits for the last lines of the access log."""

_DECODER = msgspec.json.Decoder(GatewayCounters)


def configuration(settings: Settings, limits: dict[str, int]) -> dict[str, Any]:
    """Return the part of the configuration that every gateway has.

    Args:
        limits: at least `connections`, the maximum number of open connections of clients.
    """
    share = max(limits["connections"] // ADDRESS_SHARE, MIN_PER_ADDRESS)
    return {
        "trusted_proxies": settings.trusted_proxies,
        "proxy_headers": settings.proxy_headers,
        "proxy_protocol": settings.proxy_protocol,
        "https_only": uses_https(settings),
        "titles": titles(),
        "limits": limits | {"connections_per_address": settings.connections_per_address or share},
    }


def start(gateway: Gateway, held: Sequence[socket.socket]) -> None:
    """Accept connections from bound sockets. The gateway uses duplicates of them. Raises StartError."""
    try:
        for each in held:
            each.setblocking(False)
            each.listen(BACKLOG)
        gateway.start([os.dup(each.fileno()) for each in held])
    except OSError as error:
        raise StartError(f"The gateway cannot start: {error}.") from error


def stop(gateway: Gateway, access_log: AccessLog | None) -> None:
    """Close every connection, and write the last lines of the access log. Blocks."""
    gateway.stop()
    if access_log is not None:
        access_log.flush(FLUSH_SECONDS)


def counters(gateway: Gateway) -> GatewayCounters:
    """Return the current counters."""
    return _DECODER.decode(gateway.counters())
