"""A bus that keeps what it was given until a test says what becomes of it: delivered, repeated, misordered or lost."""

from __future__ import annotations

from collections.abc import Callable

from fechatter.frames import Frame, Signal

Carried = tuple[list[Frame], list[Signal]]
Receive = Callable[[list[Frame], list[Signal]], None]


class FaultyBus:
    """
    Attributes:
        waiting: for each receiver what is on its way to it, oldest first.
    """

    def __init__(self) -> None:
        self._receivers: list[Receive] = []
        self.waiting: list[list[Carried]] = []

    def join(self, receive: Receive) -> int:
        """One more receiver; returns its place."""
        self._receivers.append(receive)
        self.waiting.append([])
        return len(self.waiting) - 1

    def publish(self, carried: Carried) -> None:
        """On its way to every receiver."""
        for waiting in self.waiting:
            waiting.append(carried)

    def deliver(self, place: int, which: int = 0) -> None:
        """Hand over one of what waits; any but the first is out of order."""
        if self.waiting[place]:
            waiting = self.waiting[place]
            self._receivers[place](*waiting.pop(which % len(waiting)))

    def repeat(self, place: int, which: int = 0) -> None:
        """Hand it over, and keep it for another time."""
        if self.waiting[place]:
            waiting = self.waiting[place]
            self._receivers[place](*waiting[which % len(waiting)])

    def lose(self, place: int, which: int = 0) -> None:
        if self.waiting[place]:
            self.waiting[place].pop(which % len(self.waiting[place]))

    def deliver_all(self, place: int) -> None:
        while self.waiting[place]:
            self.deliver(place)
