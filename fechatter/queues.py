"""What every queue of this process tells of itself: its name, its bound, and what happens when it is full.

A room tells its queues by a `queues()` of its own; `Services.queues` has all of them, for the metrics and for the table in ARCHITECTURE.md.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Literal

import msgspec

Unit = Literal["messages", "calls", "requests", "people", "keys", "events", "bytes"]


class Queue(msgspec.Struct, frozen=True):
    """One bounded queue. Where there are many alike (a listener's), it stands for the fullest of them.

    Attributes:
        name: in snake case, unique in the process.
        bound: how much it ever holds, in `unit`.
        full: in a few words, what comes to who finds it full: a status with its code, or what is done instead.
        depth: how much it holds now, in `unit`; to be called on the main loop.
    """

    name: str
    bound: int
    unit: Unit
    full: str
    depth: Callable[[], int]


class Line:
    """Those who wait for one thing: `with line:` counts who waits or is served, and refuses whoever comes beyond the bound.

    Args:
        refuse: makes what is raised then.
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

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._waiting -= 1
