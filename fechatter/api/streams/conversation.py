"""What the client of one WebSocket sends: its messages are answered one after the other, in their order.

A message is refused like a request, with a problem. The connection stays open.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import msgspec

from fechatter.api import problems
from fechatter.api.application import Application
from fechatter.api.middleware.boundary import as_problem
from fechatter.api.operations import MAX_SEEN
from fechatter.api.streams.commands import COMMANDS, CREATED, Caller, Command, RouteAnswer, path_and_body, run
from fechatter.api.streams.opening import parse_cursor
from fechatter.auth.tokens import Claims
from fechatter.errors import Conflict, Invalid, Problem, TooManyRequests, Unavailable
from fechatter.hub.listener import Listener
from fechatter.validation import decode

REF_CHARACTERS = 64
FIRST_ERROR = 400


class Envelope(msgspec.Struct, frozen=True):
    """The fields of every message."""

    type: str
    ref: Annotated[str, msgspec.Meta(max_length=REF_CHARACTERS)] | None = None


class Resume(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Begin the stream again, from a cursor."""

    cursor: str
    seen: Annotated[list[str], msgspec.Meta(max_length=MAX_SEEN)] = []


class Ack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The position up to which the client has received everything."""

    cursor: str


class Conversation:
    """Answers the messages of one client, over its stream. Runs on the main loop.

    Args:
        address: the client's address.
        may_resume: whether the first message may begin the stream again.
    """

    __slots__ = ("_address", "_app", "_is_answering", "_listener", "_may_resume")

    def __init__(self, app: Application, listener: Listener, address: str, *, may_resume: bool) -> None:
        self._app = app
        self._listener = listener
        self._address = sys.intern(address)
        self._may_resume = may_resume
        self._is_answering = False

    def __call__(self) -> None:
        """Answer the messages that wait in the native stream."""
        if not self._is_answering:
            self._is_answering = True
            self._app.services.tasks.start("answer a client's messages", self._answer_waiting())

    async def _answer_waiting(self) -> None:
        try:
            while (message := self._listener.stream.receive()) is not None:
                await self.answer(message)
                # Other people's requests have their turn, even if every message is refused at once.
                await asyncio.sleep(0)
        finally:
            self._is_answering = False

    async def answer(self, message: bytes) -> None:
        """Do what a message demands, and answer it."""
        ref = None
        may_resume, self._may_resume = self._may_resume, False
        try:
            try:
                envelope, fields = _parse(message)
                ref = envelope.ref
                command = COMMANDS.get(envelope.type)
                if command is not None:
                    await self._run(command, ref, *path_and_body(command, fields))
                    return
            except Problem:
                # No route has counted this message.
                self._count()
                raise
            self._count()
            await self._own(envelope.type, msgspec.json.encode(fields), may_resume=may_resume)
            if ref is not None:
                self._report("done", ref)
        except Exception as error:  # noqa: BLE001  # as in the boundary of requests; `as_problem` logs it
            request_id = next(self._app.ids)
            problem = as_problem(error, request_id)
            self._app.requests.refused(problem)
            waits = isinstance(problem, TooManyRequests | Unavailable)
            retry = b"%d" % problem.retry_after_seconds if waits else None  # type: ignore[attr-defined]
            self._refuse(ref, problems.body(problem, request_id), retry)

    def _count(self) -> None:
        """Count a message without a route as a request of the person. Raises TooManyRequests."""
        self._app.services.quotas.requests.take(self._listener.reader.user_id)

    async def _run(self, command: Command, ref: str | None, path: str, body: bytes) -> None:
        reader = self._listener.reader
        caller = Caller(Claims(reader.user_id, reader.workspace_id, reader.session_id), self._address)
        answered = await run(self._app, caller, command.method, path, body)
        if answered.status >= FIRST_ERROR:
            self._refuse(ref, answered.body, answered.retry_after)
        elif command.always_answered:
            self._report_sent(ref, answered)
        elif ref is not None:
            self._report(command.answer, ref, b"result", answered.body)

    async def _own(self, kind: str, fields: bytes, *, may_resume: bool) -> None:
        """Handle a message about the stream itself."""
        if kind == "ack":
            parse_cursor(decode(fields, Ack).cursor, "/cursor")
        elif kind == "resume":
            wanted = decode(fields, Resume)
            cursor = parse_cursor(wanted.cursor, "/cursor")
            seen = [parse_cursor(text, f"/seen/{index}") for index, text in enumerate(wanted.seen)]
            if not may_resume:
                raise Conflict("Only the first message can resume, unless the URL contains the cursor.")
            await self._app.services.hub.resume(self._listener, cursor, seen)
        else:
            raise Invalid.field("/type", "invalid_value", "There is no such type of messages.")

    def _report_sent(self, ref: str | None, answered: RouteAnswer) -> None:
        data = b'"message":%b,"repeated":%b' % (answered.body, b"false" if answered.status == CREATED else b"true")
        self._offer("sent", ref, data)

    def _report(self, event: str, ref: str | None, name: bytes = b"", value: bytes = b"") -> None:
        self._offer(event, ref, b'"%b":%b' % (name, value) if value else b"")

    def _refuse(self, ref: str | None, problem: bytes, retry_after: bytes | None) -> None:
        members = problem.strip()[1:-1]
        if retry_after is not None:
            members += b',"retry_after_seconds":%b' % retry_after
        self._offer("problem", ref, members)

    def _offer(self, event: str, ref: str | None, members: bytes) -> None:
        first = b"" if ref is None else b'"ref":%b' % msgspec.json.encode(ref)
        data = b",".join(part for part in (first, members) if part)
        self._listener.offer(b"event: %b\ndata: {%b}\n\n" % (event.encode(), data))


def _parse(message: bytes) -> tuple[Envelope, dict[str, msgspec.Raw]]:
    """Return the common fields and the others. Raises MalformedRequest, Invalid."""
    envelope = decode(message, Envelope)
    fields = decode(message, dict[str, msgspec.Raw])
    del fields["type"]
    fields.pop("ref", None)
    return envelope, fields
