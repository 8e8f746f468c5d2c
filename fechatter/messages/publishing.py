"""Publishing: the answers of a batch go to its senders, committed events go to the bus. Everything runs on the main loop.

Frames are published only after their commit, and in commit order.
"""

from __future__ import annotations

import asyncio

import msgspec

from fechatter.bus.base import Bus
from fechatter.errors import Problem
from fechatter.frames import Frame, Signal

Answer = tuple[int, bytes] | Problem
"""Status and JSON of the stored message, or the refusal."""

Ticket = tuple[asyncio.Future[Answer], str]
"""The future that a sender awaits, and the id of its request."""


class WrittenBatch(msgspec.Struct):
    """The result of one batch: the answer for each ticket, and the frames in commit order."""

    tickets: list[Ticket]
    answers: list[Answer]
    frames: list[Frame]


class Publisher:
    """
    Attributes:
        published: events and signals handed to the bus since the start.
    """

    def __init__(self, bus: Bus) -> None:
        self.published = 0
        self._bus = bus

    def publish(self, frames: list[Frame], signals: list[Signal]) -> None:
        """Hand committed frames, and signals, to the bus."""
        self.published += len(frames) + len(signals)
        self._bus.publish(frames, signals)

    def finish(self, batch: WrittenBatch) -> None:
        """Answer the senders of a batch, then publish its frames."""
        answer_senders(batch)
        if batch.frames:
            self.publish(batch.frames, [])


def answer_senders(batch: WrittenBatch) -> None:
    """Answer the senders of a batch, except those that have given up."""
    for (waiting, _), each in zip(batch.tickets, batch.answers, strict=True):
        if not waiting.done():
            waiting.set_result(each)
