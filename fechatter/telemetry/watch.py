"""What is counted where no room counts for itself, for metrics and health."""

from __future__ import annotations

from collections import Counter

from fechatter.model import now_ms
from fechatter.telemetry.loop_lag import LoopLag


class StreamCounts:
    """Streams since the start. `closed` is by reason; `blocks` are the events and other blocks in `writes` writes."""

    def __init__(self) -> None:
        self.opened = 0
        self.closed: Counter[str] = Counter()
        self.blocks = 0
        self.bytes = 0
        self.writes = 0

    def wrote(self, blocks: int, size_bytes: int) -> None:
        self.blocks += blocks
        self.bytes += size_bytes
        self.writes += 1


class PartStates:
    """Since when each part of the server is in the state it was last seen in."""

    def __init__(self) -> None:
        self._states: dict[str, tuple[str, int]] = {}

    def since(self, part: str, state: str) -> int:
        """The time, in milliseconds since 1970, at which the part was first seen in this state."""
        known = self._states.get(part)
        if known is None or known[0] != state:
            known = self._states[part] = (state, now_ms())
        return known[1]


class Watch:
    """
    Attributes:
        published: events and signals handed to the bus.
    """

    def __init__(self) -> None:
        self.loop_lag = LoopLag()
        self.streams = StreamCounts()
        self.parts = PartStates()
        self.published = 0
