"""Reads rows on the loop's own thread if they were read a short time ago.

Passing a short query to another thread costs more than the query. But a query that waits for the disk or for a lock
must not stop the loop. Pages of the file that were read within the last minute are almost certainly in memory.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Hashable, Sequence
from typing import Final

from fechatter.errors import StorageError
from fechatter.storage.engines.sqlite_transaction import fetch_row

HOT_SECONDS: Final = 60.0
MAX_KEYS: Final = 65_536


class NotHot(Exception):
    """The rows cannot be read without waiting; nothing was read."""


class HotRows:
    """Runs on the main loop.

    Args:
        connection: a connection for reading, whose queries from now on wait for no locks.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._connection.execute("PRAGMA busy_timeout=0")
        self._read_at: dict[Hashable, float] = {}

    def fetch_row(self, sql: str, args: Sequence[object], keys: Sequence[Hashable]) -> sqlite3.Row | None:
        """Return the first row of a query that reads only the rows of `keys`, or None.

        Raises NotHot: a key was not read within the last minute, or the query failed.
        """
        oldest = time.monotonic() - HOT_SECONDS
        for key in keys:
            if self._read_at.get(key, 0.0) < oldest:
                raise NotHot
        try:
            return fetch_row(self._connection, sql, args)
        except StorageError as error:
            raise NotHot from error

    def note(self, keys: Sequence[Hashable]) -> None:
        """Record that the rows of `keys` were read now."""
        if len(self._read_at) >= MAX_KEYS:
            self._read_at.clear()
        now = time.monotonic()
        for key in keys:
            self._read_at[key] = now

    def close(self) -> None:
        self._connection.close()
