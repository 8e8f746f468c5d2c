"""Puts a workspace's frames into the order of their numbers, whatever the bus does to them.

It passes only the next number, holds later ones, drops earlier ones. What it waits for is never asked of the bus again: the room fills the
gap from the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from fechatter.frames import Frame

MAX_HELD = 10_000


class Sequencer:
    """
    Args:
        position: everything up to this number has been passed.
        deliver: called with each frame, in order, each number once.
    """

    def __init__(self, position: int, deliver: Callable[[Frame], None]) -> None:
        self.position = position
        self.expected = position
        self._deliver = deliver
        self._held: dict[int, Frame] = {}

    @property
    def behind(self) -> bool:
        """A number is known to exist that has not been passed."""
        return self.expected > self.position

    @property
    def held(self) -> int:
        return len(self._held)

    def expect(self, head: int) -> None:
        """The log is known to reach `head`."""
        self.expected = max(self.expected, head)

    def accept(self, frames: Iterable[Frame]) -> None:
        """Take frames in any order, any number of times."""
        for frame in frames:
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
            self.position = frame.seq
            self._deliver(frame)
            frame = self._held.pop(self.position + 1, None)
        self.expected = max(self.expected, self.position)
