"""The states of a live connection."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from fechatter.frames import Frame
from fechatter.model import Position

MAX_JOINING_FRAMES = 2_000
MAX_JOINING_SIGNALS = 256
MAX_RECEIVED = 32
"""The limit of native/src/hub/inbox.rs."""


class CloseReason(StrEnum):
    SLOW = "slow"
    REVOKED = "revoked"
    SHUTDOWN = "shutdown"
    UNAVAILABLE = "unavailable"
    GONE = "gone"
    """The client has left, so the reason is not sent."""

    @property
    def close_code(self) -> int:
        """The code with which a WebSocket ends (RFC 6455, section 7.4)."""
        return _CLOSE_CODES[self]


_CLOSE_CODES = {
    CloseReason.SLOW: 4408,
    CloseReason.REVOKED: 4401,
    CloseReason.SHUTDOWN: 1001,
    CloseReason.UNAVAILABLE: 1013,
    CloseReason.GONE: 1000,
}


class Joining(msgspec.Struct):
    """The log is being read. Live frames and signals are held, and are sent after the events from the log.

    Attributes:
        held: the live frames, in order.
        signals: the blocks of the signals, in order.
        overflowed: more than MAX_JOINING_FRAMES came, so the log must be read again.
    """

    held: list[Frame] = []
    signals: list[bytes] = []
    overflowed: bool = False

    def hold(self, frame: Frame) -> None:
        if len(self.held) < MAX_JOINING_FRAMES:
            self.held.append(frame)
        else:
            self.overflowed = True

    def hold_signal(self, block: bytes) -> None:
        if len(self.signals) < MAX_JOINING_SIGNALS:
            self.signals.append(block)


class Replaying(msgspec.Struct, frozen=True):
    """Only a piece of a replay was read. The rest is read once no block waits for the socket.

    Attributes:
        start: the position from which the replay began.
        reached: the position up to which it was read.
    """

    start: Position
    reached: Position


class Live(msgspec.Struct, frozen=True, gc=False):
    """Each frame is shown as it passes.

    Attributes:
        since: the head of the log when the replay was complete.
    """

    since: Position


class Closed(msgspec.Struct, frozen=True):
    """The connection ends. A closed listener stays closed."""

    reason: CloseReason


State = Joining | Replaying | Live | Closed
