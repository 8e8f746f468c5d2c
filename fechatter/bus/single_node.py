"""The bus of a server that consists of one node: there are no other nodes to reach."""

from __future__ import annotations

from fechatter.bus.base import ReceiveFrames, ReceiveSignals, State
from fechatter.frames import Frame, Signal
from fechatter.loops import LoopState
from fechatter.queues import Queue


class SingleNodeBus:
    """A `Bus` (`bus/base.py`) that sends and receives nothing."""

    def __init__(self) -> None:
        self.dropped = 0
        self.rejected = 0

    @property
    def state(self) -> State:
        return "ok"

    def publish(self, frames: list[Frame], signals: list[Signal]) -> None:
        """Do nothing: `Publisher` has served this node."""

    async def start(self, frames: ReceiveFrames, signals: ReceiveSignals) -> None:
        """Do nothing: no other node sends anything."""

    def queues(self) -> list[Queue]:
        return []

    def loops(self) -> list[LoopState]:
        return []

    async def close(self) -> None:
        """Do nothing: there is no connection."""
