"""Puts a workspace's frames into the order of their numbers, even if the bus loses, repeats or reorders them.

A sequencer passes only the next number, stores later frames and drops earlier ones. The bus never resends a missing
frame; gaps are filled from the log (`gaps.py`). Frames from the bus are accepted only in the current era. A frame of
another era may come from a lost log or from an era that has just begun, and only the log shows which.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fechatter.frames import Frame
from fechatter.model import Position

MAX_HELD = 10_000


class Sequencer:
    """The order of one workspace's frames on this node.

    Args:
        place: everything up to this position has been passed.
        era: the current era.

    Attributes:
        era: the current era.
        position: the number up to which everything has been passed.
        expected: the highest number that the log is known to contain.
        doubtful: the bus delivered a frame of another era, so the log must be read.
    """

    def __init__(self, place: Position, era: str) -> None:
        self.position = place.seq
        self.expected = place.seq
        self.doubtful = False
        self._era_here = place.era
        self.era = era
        self._held: dict[int, Frame] = {}

    @property
    def place(self) -> Position:
        """`position` with the era of that number."""
        return Position(self._era_here, self.position)

    @property
    def behind(self) -> bool:
        """Whether the log has a number that has not been passed."""
        return self.expected > self.position

    @property
    def needs_log(self) -> bool:
        """Whether the log must be read, because of a gap or a frame of another era."""
        return self.behind or self.doubtful

    @property
    def held(self) -> int:
        """The number of frames that wait for an earlier number."""
        return len(self._held)

    def expect(self, head: int) -> None:
        """Note that the log reaches at least `head`."""
        self.expected = max(self.expected, head)

    def correct(self, head: int) -> None:
        """Note that the log ends at `head`, although the bus delivered later numbers."""
        self.expected = max(head, self.position)
        self._held = {seq: frame for seq, frame in self._held.items() if seq <= head}

    def enter(self, era: str) -> None:
        """Note that `era` is the current era, according to the log."""
        self.doubtful = False
        if era != self.era:
            self.era = era
            # Held frames may come from a lost log. The current log contains the valid ones.
            self._held.clear()

    def accept(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Take frames from the bus, in any order and any number of times. Yields frames whose turn it is, in order."""
        for frame in frames:
            if frame.era != self.era:
                self.doubtful = True
            elif self._is_next(frame):
                yield from self._pass(frame)

    def fill(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Take frames of any era from the log. Yields frames whose turn it is, in order."""
        for frame in frames:
            if self._is_next(frame):
                yield from self._pass(frame)

    def _is_next(self, frame: Frame) -> bool:
        """Whether it is this frame's turn. A later frame is held."""
        if frame.seq > self.position + 1:
            self.expected = max(self.expected, frame.seq)
            # A later frame beyond the bound is read from the log when its turn comes.
            if len(self._held) < MAX_HELD:
                self._held[frame.seq] = frame
        return frame.seq == self.position + 1

    def _pass(self, frame: Frame | None) -> Iterator[Frame]:
        while frame is not None:
            self.position, self._era_here = frame.seq, frame.era
            self.expected = max(self.expected, frame.seq)
            yield frame
            frame = self._held.pop(self.position + 1, None)
