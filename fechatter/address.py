"""The address the server is at: the socket that holds it, and how it is told to people."""

from __future__ import annotations

import errno
import socket

from fechatter.errors import StartError
from fechatter.settings import Settings

EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Hosts that stand for all addresses of the machine: where to find the server from the machine itself."""


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


def public_address(settings: Settings, port: int) -> str:
    """The address that people are told."""
    return settings.public_url or local_address(settings.host, port, "https" if settings.tls_certificate else "http")


def local_address(host: str, port: int, scheme: str = "http") -> str:
    """The server's address as one opens it on this machine."""
    host = EVERY_ADDRESS.get(host, host)
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _refused(settings: Settings, error: OSError) -> StartError:
    taken = error.errno == errno.EADDRINUSE
    reason = "is in use" if taken else f"cannot be used ({error.strerror})"
    remedy = "FECHATTER_PORT (or FECHATTER_HOST)" if taken else "FECHATTER_HOST (or FECHATTER_PORT)"
    where = f"Port {settings.port}{_given(settings, 'port')} on {settings.host}{_given(settings, 'host')}"
    return StartError(f"{where} {reason}; set {remedy}.")


def _given(settings: Settings, key: str) -> str:
    """Where the value came from, if not from the defaults: a shell may export a HOST that nobody thinks of."""
    return f" (from {settings.sources[key]})" if key in settings.sources else ""
