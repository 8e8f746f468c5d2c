"""Sending: from a request's bytes to the stored message's JSON.

Both doors come through here: the body goes unparsed into the intake, the sender waits on its ticket, the writer answers the ticket.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial

from fechatter.errors import FieldError, Invalid, MalformedRequest, Problem, Unavailable
from fechatter.frames import Frame, Signal
from fechatter.messages.writer import Answer, Outcome, given_up
from fechatter.model import ChatId, SessionId, UserId
from fechatter.native import Intake, IntakeFull, InvalidMessage, MalformedBody, parse_message
from fechatter.queues import Queue
from fechatter.telemetry.measures import Histogram

INTAKE_MESSAGES = 4096
INTAKE_BYTES = 16 << 20
LARGE_BYTES = 64 << 10
"""A larger batch is parsed on another thread."""


Ticket = tuple[asyncio.Future[Answer], str]
"""What waits for an answer, and the id of the request that it is for."""


class Sender:
    """Puts messages into the intake and hands their answers out, on the main loop.

    Args:
        wake: tells the writer that the waiting batch is no longer empty.
        publish: takes a batch's frames, in commit order.

    Attributes:
        seconds: from a message's body received to its answer.
    """

    def __init__(self, intake: Intake, wake: Callable[[], None], publish: Callable[[list[Frame], list[Signal]], None]) -> None:
        self._intake = intake
        self._wake = wake
        self._publish = publish
        self.seconds = Histogram()
        self._create_future = asyncio.get_running_loop().create_future

    def queues(self) -> list[Queue]:
        full = "503 `intake_full`"
        return [
            Queue("intake_messages", INTAKE_MESSAGES, "messages", full, lambda: len(self._intake)),
            Queue("intake_bytes", INTAKE_BYTES, "bytes", full, lambda: self._intake.waiting_bytes),
        ]

    async def send(
        self, body: bytes, header_key: str | None, chat_id: ChatId, sender_id: UserId, session_id: SessionId, request_id: str = ""
    ) -> tuple[int, bytes]:
        """Status (201, or 200 for a repeat) and JSON of the stored message.

        Raises:
            Problem: the refusal: MalformedRequest, Invalid, Unavailable (full, not stored), NotFound, Conflict …
        """
        began = time.perf_counter()
        waiting = self._create_future()
        try:
            wake = self._intake.push(body, header_key, chat_id, sender_id, session_id, (waiting, request_id))
        except (MalformedBody, InvalidMessage, IntakeFull) as error:
            raise refusal(error) from None
        if wake:
            self._wake()
        answer: Answer = await self._answered(waiting)
        self.seconds.observe(time.perf_counter() - began)
        if isinstance(answer, Problem):
            raise answer
        return answer

    async def send_many(self, body: bytes, chat_id: ChatId, sender_id: UserId, session_id: SessionId, request_id: str = "") -> list[Answer]:
        """The answer of each message of a `{messages: […]}` body, in its order. Raises like `send` for the whole."""
        push = partial(self._intake.push_many, body, chat_id, sender_id, session_id, lambda: (self._create_future(), request_id))
        try:
            # Up to 55 ms for 6 MiB of escapes: not on the main loop.
            entries, wake = push() if len(body) < LARGE_BYTES else await asyncio.to_thread(push)
        except (MalformedBody, InvalidMessage, IntakeFull) as error:
            raise refusal(error) from None
        if wake:
            self._wake()
        return [refusal(entry) if isinstance(entry, InvalidMessage) else await self._answered(entry[0]) for entry in entries]

    async def _answered(self, waiting: asyncio.Future[Answer]) -> Answer:
        # asyncio.timeout would cost a timer a message; the writer answers every ticket, and for one that died `give_up` does.
        return await waiting

    def give_up(self) -> None:
        """There is no writer any more: answer what waits, and from now on whoever sends."""
        self._wake = self.give_up
        while (batch := self._intake.take()) is not None:
            self.deliver(given_up(batch))

    def deliver(self, outcome: Outcome) -> None:
        """One batch's answers, then its frames."""
        for (waiting, _), answer in zip(outcome.tickets, outcome.answers, strict=True):
            if not waiting.done():
                waiting.set_result(answer)
        if outcome.frames:
            self._publish(outcome.frames, [])


def parse_content(body: bytes) -> str:
    """The content of an edit's `{content}` body. Raises MalformedRequest, Invalid."""
    try:
        content, key = parse_message(body)
    except (MalformedBody, InvalidMessage) as error:
        raise refusal(error) from None
    if key is not None:
        raise Invalid.field("/idempotency_key", "unknown_field", "An edit takes no idempotency key.")
    return content


def refusal(error: Exception) -> Problem:
    """The problem for what the native side refused."""
    if isinstance(error, MalformedBody):
        code, detail = error.args
        return MalformedRequest(detail, code=code)
    if isinstance(error, InvalidMessage):
        return Invalid([FieldError(*each) for each in error.errors])
    return Unavailable("Too many messages wait to be stored.", code="intake_full")
