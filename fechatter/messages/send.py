"""Sending: from the bytes of a request to the JSON of the stored message.

The body goes unparsed into the intake. The sender awaits its ticket, which the writer answers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial

from fechatter.errors import FieldError, Invalid, MalformedRequest, Problem, Unavailable
from fechatter.messages.publishing import Answer
from fechatter.model import ChatId, Extras, SessionId, UserId
from fechatter.native import Intake, IntakeFull, InvalidMessage, MalformedBody, parse_message
from fechatter.queues import Queue
from fechatter.telemetry.measures import Histogram

INTAKE_MESSAGES = 4096
INTAKE_BYTES = 16 << 20
LARGE_BYTES = 64 << 10
"""Minimum size of a batch that another thread parses. Parsing 6 MiB of escapes takes up to 55 ms."""


def open_intake(capacity: int = INTAKE_MESSAGES, fields: type[Extras] = Extras) -> Intake:
    """Create the intake. It refuses messages with extras unless `fields` has at least one field."""
    return Intake(capacity, INTAKE_BYTES, extras_allowed=bool(fields.__struct_fields__))


class Sender:
    """Puts messages into the intake and awaits their answers, on the main loop.

    Args:
        wake: called when the intake is no longer empty.

    Attributes:
        seconds: time from the received body to the answer.
    """

    def __init__(self, intake: Intake, wake: Callable[[], None]) -> None:
        self.intake = intake
        self._wake = wake
        self.seconds = Histogram()
        self._create_future = asyncio.get_running_loop().create_future

    def queues(self) -> list[Queue]:
        full = "503 `intake_full`"
        return [
            Queue("intake_messages", INTAKE_MESSAGES, "messages", full, lambda: len(self.intake)),
            Queue("intake_bytes", INTAKE_BYTES, "bytes", full, lambda: self.intake.waiting_bytes),
        ]

    async def send(
        self,
        body: bytes,
        header_key: str | None,
        chat_id: ChatId,
        sender_id: UserId,
        session_id: SessionId,
        request_id: str = "",
    ) -> tuple[int, bytes]:
        """Return the status (201, or 200 for a repeat) and the JSON of the stored message.

        Raises:
            Problem: the refusal: MalformedRequest, Invalid, Unavailable (full, not stored), NotFound, Conflict …
        """
        began = time.perf_counter()
        # There is no timeout, because a timer costs too much per message. The writer answers every ticket, even
        # when it ends (`Writer.give_up`).
        waiting: asyncio.Future[Answer] = self._create_future()
        try:
            wake = self.intake.push(body, header_key, chat_id, sender_id, session_id, (waiting, request_id))
        except (MalformedBody, InvalidMessage, IntakeFull) as error:
            raise refusal(error) from None
        if wake:
            self._wake()
        answer = await waiting
        self.seconds.observe(time.perf_counter() - began)
        if isinstance(answer, Problem):
            raise answer
        return answer

    async def send_many(
        self, body: bytes, chat_id: ChatId, sender_id: UserId, session_id: SessionId, request_id: str = ""
    ) -> list[Answer]:
        """Return the answer to each message of a `{messages: […]}` body, in its order.

        Raises the same errors as `send` if the whole batch is refused.
        """
        push = partial(
            self.intake.push_many, body, chat_id, sender_id, session_id, lambda: (self._create_future(), request_id)
        )
        try:
            entries, wake = push() if len(body) < LARGE_BYTES else await asyncio.to_thread(push)
        except (MalformedBody, InvalidMessage, IntakeFull) as error:
            raise refusal(error) from None
        if wake:
            self._wake()
        return [refusal(entry) if isinstance(entry, InvalidMessage) else await entry[0] for entry in entries]


def parse_content(body: bytes) -> str:
    """Return the content of an edit's `{content}` body. Raises MalformedRequest, Invalid."""
    try:
        content, key = parse_message(body)
    except (MalformedBody, InvalidMessage) as error:
        raise refusal(error) from None
    if key is not None:
        raise Invalid.field("/idempotency_key", "unknown_field", "An edit has no idempotency key.")
    return content


def refusal(error: Exception) -> Problem:
    """Return the problem for an error of the native side."""
    if isinstance(error, MalformedBody):
        code, detail = error.args
        return MalformedRequest(detail, code=code)
    if isinstance(error, InvalidMessage):
        return Invalid([FieldError(*each) for each in error.errors])
    return Unavailable("Too many messages are waiting to be stored.", code="intake_full")
