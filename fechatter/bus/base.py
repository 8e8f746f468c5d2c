"""The bus between the nodes of a server: it is fast, and it may lose messages.

A frame may be lost, late, repeated or out of order. The hub's sequencer and the log make delivery complete.
`messages/publishing.py` delivers to its own node, without the bus.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from fechatter.frames import Frame, Signal
from fechatter.loops import LoopState
from fechatter.queues import Queue

ReceiveFrames = Callable[[list[Frame]], None]
ReceiveSignals = Callable[[list[Signal]], None]
State = Literal["ok", "degraded"]


class Bus(Protocol):
    """Sends frames and signals to the other nodes, and receives theirs.

    Attributes:
        dropped: frames and signals not sent to other nodes since the start.
        rejected: messages received since the start that were forged, repeated or too old.
    """

    dropped: int
    rejected: int

    @property
    def state(self) -> State:
        """`degraded` while other nodes get events only from the log, or while forged messages arrive."""
        ...

    def publish(self, frames: list[Frame], signals: list[Signal]) -> None:
        """Send committed frames, and signals, to the other nodes. Does not wait or raise."""
        ...

    async def start(self, frames: ReceiveFrames, signals: ReceiveSignals) -> None:
        """Begin to receive from the other nodes."""
        ...

    def queues(self) -> list[Queue]: ...

    def loops(self) -> list[LoopState]: ...

    async def close(self) -> None: ...
