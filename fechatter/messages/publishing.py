"""Publishing: after the commit, answers go to the senders, and frames go to the hub of every node.

Everything runs on the main loop. Frames arrive here in commit order. This node's hub is called directly; the bus serves
the other nodes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import msgspec

from fechatter.bus.base import Bus, ReceiveFrames, ReceiveSignals
from fechatter.cache.responses import ResponseCache
from fechatter.errors import Problem
from fechatter.frames import Frame, Signal
from fechatter.native import PendingAnswer

Answer = tuple[int, bytes] | Problem
"""HTTP status and JSON of the stored message, or the refusal."""

Ticket = tuple[asyncio.Future[Answer], str] | PendingAnswer
"""What waits for an answer: a future with the id of its request, or a request of the gateway."""

RenderRefusal = Callable[[Problem, str], tuple[int, str, list[tuple[str, str]], bytes]]
"""Returns status, code, headers and body of the answer for a problem and a request id."""


def request_id(ticket: Ticket) -> str:
    """Return the id of the request that waits on the ticket."""
    return ticket.request_id if isinstance(ticket, PendingAnswer) else ticket[1]


class WrittenBatch(msgspec.Struct):
    """The result of one batch: the answer for each ticket, the frames in commit order, and who sent the messages."""

    tickets: list[Ticket]
    answers: list[Answer]
    frames: list[Frame]
    senders: list[int]


class Publisher:
    """
    Args:
        render: renders refusals for the gateway.
        note: called with the people who sent the messages of a batch.
        responses: learns of every event before a client does.

    Attributes:
        published: events and signals published by this node since its start.
    """

    def __init__(
        self,
        bus: Bus,
        render: RenderRefusal,
        note: Callable[[Iterable[int]], None],
        responses: ResponseCache | None = None,
    ) -> None:
        self.published = 0
        self._responses = responses or ResponseCache()
        self._render = render
        self._note = note
        self._bus = bus
        self._frames: ReceiveFrames = lambda _frames: None
        self._signals: ReceiveSignals = lambda _signals: None

    async def start(self, frames: ReceiveFrames, signals: ReceiveSignals) -> None:
        """From now on, call `frames` and `signals` with everything that this node and the others publish."""
        self._frames, self._signals = frames, signals
        await self._bus.start(self._receive, signals)

    def publish(self, frames: list[Frame], signals: list[Signal]) -> None:
        """Publish committed frames, and signals. This node's hub has received them when the call returns."""
        self._responses.passed(frames)
        self._publish(frames, signals)

    def _publish(self, frames: list[Frame], signals: list[Signal]) -> None:
        self.published += len(frames) + len(signals)
        if frames:
            self._frames(frames)
        if signals:
            self._signals(signals)
        self._bus.publish(frames, signals)

    def _receive(self, frames: list[Frame]) -> None:
        """Take frames of the other nodes."""
        self._responses.passed(frames)
        self._frames(frames)

    def finish(self, batch: WrittenBatch) -> None:
        """Answer the senders of a batch, then publish its frames, which the writer has passed to the responses."""
        answer_senders(batch, self._render)
        self._note(batch.senders)
        if batch.frames:
            self._publish(batch.frames, [])


def answer_senders(batch: WrittenBatch, render: RenderRefusal) -> None:
    """Answer the senders of a batch, except those whose request was cancelled.

    For requests of the gateway, it sends only refusals: the writer itself answers those whose messages are stored.
    """
    for ticket, each in zip(batch.tickets, batch.answers, strict=True):
        if isinstance(ticket, PendingAnswer):
            if isinstance(each, Problem):
                ticket.refuse(*render(each, ticket.request_id))
        elif not ticket[0].done():
            ticket[0].set_result(each)
