"""How the server listens: HTTP/1.1 through Granian, never on more connections than there are files for.

A connection that says nothing, or half a request's head, is closed; a slow body is the business of `api/bodies.py`.
"""

from __future__ import annotations

import logging
import resource

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server as Granian
from starlette.types import ASGIApp

from fechatter.errors import StartError
from fechatter.settings import Settings

log = logging.getLogger(__name__)

BACKLOG = 4096
HEAD_SECONDS = 10
"""How long a connection may take to send the head of its first or next request."""
BUFFER_BYTES = 64 * 1024
"""When Granian takes no more for a connection whose client does not read; a third less is held for each than by default (0.65 MB)."""
RESERVED_FILES = 128
"""For everything that is no client and no database connection: code being loaded, SQLite's files, NATS, DNS, logs."""
FEWEST_CONNECTIONS = 64
MOST_FILES = 1 << 20


def listener(app: ASGIApp, settings: Settings, port: int, connections: int) -> Granian:
    """A Granian that serves `app` once its `serve` runs.

    HTTP/2 without TLS is spoken by no browser, and Granian has no time limit for a half-sent HTTP/2 preface.
    """
    return Granian(
        app,
        address=settings.host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_SECONDS * 1000, max_buffer_size=BUFFER_BYTES),
        backlog=BACKLOG,
        # Connections, not requests: health checks must get in while all streams are open.
        backpressure=connections,
        websockets=False,
        log_enabled=False,
    )


def most_connections(settings: Settings) -> int:
    """How many clients may be connected while files for everything else remain. Raises StartError."""
    files, reserved = _raise_file_limit(), RESERVED_FILES + settings.connection_limit
    if files < reserved + FEWEST_CONNECTIONS:
        raise StartError(
            f"Only {files} files may be open at once, and at least {reserved + FEWEST_CONNECTIONS} are needed: raise `ulimit -n`."
        )
    return files - reserved


def _raise_file_limit() -> int:
    """Take what the system grants; returns how many files may be open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if _counted(soft) >= _counted(hard):
        return _counted(soft)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (_counted(hard), hard))
    except (OSError, ValueError) as error:
        log.warning("the limit of %d open files cannot be raised to %d: %s", soft, _counted(hard), error)
        return _counted(soft)
    return _counted(hard)


def _counted(limit: int) -> int:
    return MOST_FILES if limit == resource.RLIM_INFINITY else min(limit, MOST_FILES)
