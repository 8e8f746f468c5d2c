"""The socket that listens at the address of the settings."""

from __future__ import annotations

import errno
import socket

from fechatter.errors import StartError
from fechatter.settings import Settings


def bind(settings: Settings) -> socket.socket:
    """A socket that holds the address and does not listen yet: who connects is refused. Raises StartError."""
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        held = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _refused(settings, error) from error
    try:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Each connection inherits it: small writes of a stream must not wait for the client's acknowledgements.
        held.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        held.bind(address)
    except OSError as error:
        held.close()
        raise _refused(settings, error) from error
    return held


def _refused(settings: Settings, error: OSError) -> StartError:
    taken = error.errno == errno.EADDRINUSE
    reason = "is in use" if taken else f"cannot be used ({error.strerror})"
    remedy = "FECHATTER_PORT (or FECHATTER_HOST)" if taken else "FECHATTER_HOST (or FECHATTER_PORT)"
    where = f"Port {settings.port}{_given(settings, 'port')} on {settings.host}{_given(settings, 'host')}"
    return StartError(f"{where} {reason}; set {remedy}.")


def _given(settings: Settings, key: str) -> str:
    """Where the value came from, if not from the defaults: a shell may export a HOST that nobody thinks of."""
    return f" (from {settings.sources[key]})" if key in settings.sources else ""
