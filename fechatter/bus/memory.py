"""The bus of a single process: a function call."""

from __future__ import annotations

from fechatter.bus.base import ReceiveFrames, ReceiveSignals, State
from fechatter.frames import Frame, Signal
from fechatter.loops import LoopState
from fechatter.queues import Queue


class MemoryBus:
    """See `bus.base.Bus`."""

    def __init__(self) -> None:
        self.dropped = 0
        self.rejected = 0
        self._frames: ReceiveFrames = lambda _frames: None
        self._signals: ReceiveSignals = lambda _signals: None

    @property
    def state(self) -> State:
        return "ok"

    def publish(self, frames: list[Frame], signals: list[Signal]) -> None:
        if frames:
            self._frames(frames)
        if signals:
            self._signals(signals)

    async def start(self, frames: ReceiveFrames, signals: ReceiveSignals) -> None:
        self._frames, self._signals = frames, signals

    def queues(self) -> list[Queue]:
        """None: nothing waits."""
        return []

    def loops(self) -> list[LoopState]:
        """None: a call needs no connection."""
        return []

    async def close(self) -> None:
        """Nothing to close."""
