"""Binds the server's socket to the address in the settings."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fechatter.errors import StartError
from fechatter.settings import Settings

UNIX_MODE = 0o660


def bind(settings: Settings) -> socket.socket:
    """Return a socket that is bound but does not listen yet, so connections are refused. Raises StartError."""
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _cannot_listen(settings, error) from error
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if settings.reuse_port:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        # Each connection inherits this: small writes of a stream must not wait for acknowledgements.
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise _cannot_listen(settings, error) from error
    return bound


@contextmanager
def unix_socket(path: Path | None) -> Iterator[list[socket.socket]]:
    """Bind a Unix socket for members of this process's group, and remove its file at the end. None binds nothing.

    Raises:
        StartError: another server uses the path, or it cannot be used.
    """
    if path is None:
        yield []
        return
    held = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_unused(path)
        held.bind(str(path))
        path.chmod(UNIX_MODE)
    except OSError as error:
        held.close()
        reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror or error})"
        raise StartError(f"The socket {path} {reason}; set FECHATTER_UNIX_SOCKET.") from error
    try:
        yield [held]
    finally:
        held.close()
        path.unlink(missing_ok=True)


def _remove_unused(path: Path) -> None:
    """Remove the socket of a server that was killed. Keep any other file, and a socket in use."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        try:
            asking.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()


def _cannot_listen(settings: Settings, error: OSError) -> StartError:
    taken = error.errno == errno.EADDRINUSE
    reason = "is in use" if taken else f"cannot be used ({error.strerror})"
    remedy = "FECHATTER_PORT (or FECHATTER_HOST)" if taken else "FECHATTER_HOST (or FECHATTER_PORT)"
    where = f"Port {settings.port}{_source(settings, 'port')} on {settings.host}{_source(settings, 'host')}"
    return StartError(f"{where} {reason}; set {remedy}.")


def _source(settings: Settings, key: str) -> str:
    """Return the source of a value that is not the default, because a shell may export HOST for another purpose."""
    return f" (from {settings.sources[key]})" if key in settings.sources else ""
