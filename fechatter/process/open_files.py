"""The limit of open files. Each connection uses one."""

from __future__ import annotations

import logging
import os
import resource

from fechatter.errors import StartError
from fechatter.settings import Settings

log = logging.getLogger(__name__)

RESERVED_FILES = 128
"""Files reserved for everything except clients and database connections: code, SQLite, NATS, DNS, logs."""
MIN_CONNECTIONS = 64
MAX_FILES = 1 << 20
MORE_FILES = 80
"""The part of the reserve that may be in use before new connections have to wait."""
SPARE_FILES = 8


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


class Spare:
    """Spare file descriptors: without a free one, the server cannot even accept a connection to refuse it."""

    def __init__(self) -> None:
        self._held: list[int] = []

    def take(self) -> int:
        """Open the spare files. Returns the lowest free descriptor, or MAX_FILES if there is none."""
        try:
            while len(self._held) < SPARE_FILES:
                self._held.append(os.dup(0))
            lowest = os.dup(0)
        except OSError:
            return MAX_FILES
        os.close(lowest)
        return lowest

    def release(self) -> None:
        """Close the spare files."""
        while self._held:
            os.close(self._held.pop())
