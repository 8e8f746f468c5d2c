"""Puts a workspace's frames into the order of their numbers, whatever the bus does to them.

It passes only the next number, holds later ones and drops earlier ones. The bus never resends a missing frame; the room
fills the gap from the log. Frames from the bus are accepted only in the current era. A frame of another era may come
from a lost log or from an era that has just begun, and only the log shows which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from fechatter.frames import Frame
from fechatter.model import Position

MAX_HELD = 10_000


class Sequencer:
    """
    Args:
        place: everything up to this position has been passed.
        era: the current era.
        deliver: called with each frame, in order, each number once.

    Attributes:
        era: the current era.
        doubtful: the bus delivered a frame of another era, so the log must be read.
    """

    def __init__(self, place: Position, era: str, deliver: Callable[[Frame], None]) -> None:
        self.position = place.seq
        self.expected = place.seq
        self.doubtful = False
        self._era_here = place.era
        self.era = era
        self._deliver = deliver
        self._held: dict[int, Frame] = {}

    @property
    def place(self) -> Position:
        """`position` with the era of that number."""
        return Position(self._era_here, self.position)

    @property
    def behind(self) -> bool:
        """A number is known to exist that has not been passed."""
        return self.expected > self.position

    @property
    def wanting(self) -> bool:
        """Whether the log must be read."""
        return self.behind or self.doubtful

    @property
    def held(self) -> int:
        return len(self._held)

    def expect(self, head: int) -> None:
        """The log is known to reach `head`."""
        self.expected = max(self.expected, head)

    def correct(self, head: int) -> None:
        """The log reaches `head` and no farther, whatever the bus said."""
        self.expected = max(head, self.position)
        self._held = {seq: frame for seq, frame in self._held.items() if seq <= head}

    def enter(self, era: str) -> None:
        """The log says that `era` is the current one."""
        self.doubtful = False
        if era != self.era:
            self.era = era
            # They may come from a lost log; the current log contains the valid ones.
            self._held.clear()

    def accept(self, frames: Iterable[Frame]) -> None:
        """Take frames from the bus, in any order, any number of times."""
        for frame in frames:
            if frame.era != self.era:
                self.doubtful = True
            else:
                self._take(frame)

    def fill(self, frames: Iterable[Frame]) -> None:
        """Take frames from the log, of whatever era."""
        for frame in frames:
            self._take(frame)

    def _take(self, frame: Frame) -> None:
        if frame.seq == self.position + 1:
            self._pass(frame)
        elif frame.seq > self.position:
            self._hold(frame)

    def _hold(self, frame: Frame) -> None:
        self.expected = max(self.expected, frame.seq)
        # Beyond the bound the log serves as well as memory.
        if len(self._held) < MAX_HELD:
            self._held[frame.seq] = frame

    def _pass(self, frame: Frame | None) -> None:
        while frame is not None:
            self.position, self._era_here = frame.seq, frame.era
            self._deliver(frame)
            frame = self._held.pop(self.position + 1, None)
        self.expected = max(self.expected, self.position)
