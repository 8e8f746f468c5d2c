"""How many files may be open at once, each connection being one, and how near that is."""

from __future__ import annotations

import logging
import os
import resource

from fechatter.errors import StartError
from fechatter.settings import Settings

log = logging.getLogger(__name__)

RESERVED_FILES = 128
"""For everything that is no client and no database connection: code being loaded, SQLite's files, NATS, DNS, logs."""
FEWEST_CONNECTIONS = 64
MOST_FILES = 1 << 20
MORE_FILES = 80
"""Of the reserve, what may be in use besides the connections before new ones have to wait."""
SPARE_FILES = 8


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


class Spare:
    """Files held for the moment when there is none left: without one, not even a connection that is refused can be looked at."""

    def __init__(self) -> None:
        self._held: list[int] = []

    def take(self) -> int:
        """Hold them all; returns the number that the next file would get: when it is high, all below are in use."""
        try:
            while len(self._held) < SPARE_FILES:
                self._held.append(os.dup(0))
            lowest = os.dup(0)
        except OSError:
            return MOST_FILES
        os.close(lowest)
        return lowest

    def give(self) -> None:
        while self._held:
            os.close(self._held.pop())
