"""The limit of open files. Each connection uses one."""

from __future__ import annotations

import logging
import resource

from fechatter.errors import StartError
from fechatter.settings import Settings

log = logging.getLogger(__name__)

RESERVED_FILES = 128
"""Files reserved for everything except clients and database connections: code, SQLite, NATS, DNS, logs."""
MIN_CONNECTIONS = 64
MAX_FILES = 1 << 20


def most_connections(settings: Settings) -> int:
    """Return the maximum number of connected clients. Raises StartError: the limit of open files is too low."""
    files, reserved = _raise_file_limit(), RESERVED_FILES + settings.connection_limit
    if files < reserved + MIN_CONNECTIONS:
        needed = reserved + MIN_CONNECTIONS
        raise StartError(f"At most {files} files may be open, but at least {needed} are needed. Raise `ulimit -n`.")
    return files - reserved


def _raise_file_limit() -> int:
    """Raise the limit as far as possible, and return it."""
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
    return MAX_FILES if limit == resource.RLIM_INFINITY else min(limit, MAX_FILES)
