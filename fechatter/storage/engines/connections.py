"""The queue of requests that wait for a connection to the database, and the number of connections in use."""

from __future__ import annotations

import msgspec

from fechatter.queues import WaitingLine
from fechatter.storage.engines.errors import StorageBusy

MAX_WAITING = 4096
"""A request behind so many others would wait longer than any client does."""


class Connections(msgspec.Struct, frozen=True):
    """The connections for reading, and how many requests wait for one.

    On PostgreSQL they also write, except the message writer's connection, which is not counted.
    """

    busy: int
    idle: int
    waiting: int


def reads_line() -> WaitingLine:
    """Create the queue of requests that wait for a connection."""
    return WaitingLine("database", MAX_WAITING, "requests", "503 `database_busy`", lambda: StorageBusy("database_busy"))
