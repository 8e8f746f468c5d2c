"""What every bounded queue reports: its name, its bound, and what happens when it is full.

Each package lists its queues in a method `queues()`. `Services.queues` lists all of them, for the metrics and for the
table in ARCHITECTURE.md.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Literal

import msgspec

Unit = Literal["messages", "calls", "requests", "people", "keys", "events", "bytes"]


class Queue(msgspec.Struct, frozen=True):
    """One bounded queue. Of many similar queues, such as those of the listeners, it describes the fullest.

    Attributes:
        name: in snake case, unique in the process.
        bound: the maximum depth, in `unit`.
        full: the effect of a full queue in a few words: a status with its code, or another action.
        depth: returns the current depth, in `unit`; call it on the main loop.
    """

    name: str
    bound: int
    unit: Unit
    full: str
    depth: Callable[[], int]


class WaitingLine:
    """Limits how many callers wait for one resource: `with line:` counts a caller or refuses it.

    Args:
        refuse: creates the exception for a caller beyond the bound.
    """

    def __init__(self, name: str, bound: int, unit: Unit, full: str, refuse: Callable[[], Exception]) -> None:
        self.queue = Queue(name, bound, unit, full, lambda: self._waiting)
        self._bound = bound
        self._refuse = refuse
        self._waiting = 0

    def __enter__(self) -> None:
        if self._waiting >= self._bound:
            raise self._refuse()
        self._waiting += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waiting -= 1
