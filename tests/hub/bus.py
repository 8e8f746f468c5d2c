"""A bus under the control of a test, which delivers, repeats, reorders or loses its messages."""

from __future__ import annotations

from collections.abc import Callable

from fechatter.frames import Frame, Signal

Publication = tuple[list[Frame], list[Signal]]
Receive = Callable[[list[Frame], list[Signal]], None]


class FaultyBus:
    """Queues every publication until a test decides what happens to it.

    Attributes:
        waiting: the undelivered publications of each receiver, oldest first.
    """

    def __init__(self) -> None:
        self._receivers: list[Receive] = []
        self.waiting: list[list[Publication]] = []

    def join(self, receive: Receive) -> int:
        """Add a receiver and return its index."""
        self._receivers.append(receive)
        self.waiting.append([])
        return len(self.waiting) - 1

    def publish(self, publication: Publication) -> None:
        """Queue a publication for every receiver."""
        for waiting in self.waiting:
            waiting.append(publication)

    def deliver(self, receiver: int, which: int = 0) -> None:
        """Deliver one waiting publication. Any except the first is out of order."""
        if self.waiting[receiver]:
            waiting = self.waiting[receiver]
            self._receivers[receiver](*waiting.pop(which % len(waiting)))

    def repeat(self, receiver: int, which: int = 0) -> None:
        """Deliver a publication and keep it, so that it can be delivered again."""
        if self.waiting[receiver]:
            waiting = self.waiting[receiver]
            self._receivers[receiver](*waiting[which % len(waiting)])

    def lose(self, receiver: int, which: int = 0) -> None:
        if self.waiting[receiver]:
            self.waiting[receiver].pop(which % len(self.waiting[receiver]))

    def deliver_all(self, receiver: int) -> None:
        while self.waiting[receiver]:
            self.deliver(receiver)
