"""Sending many messages in one request."""

from __future__ import annotations

import math
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fechatter.api import problems, sharing
from fechatter.api.bodies import Body, check_json, read_bytes
from fechatter.api.endpoints.messages import MESSAGE_BYTES, NewMessage
from fechatter.api.identity import claims, services
from fechatter.api.operations import Answer, operation
from fechatter.api.problems import ProblemBody
from fechatter.auth.pace import SENT_ROWS
from fechatter.errors import Problem
from fechatter.model import Message
from fechatter.native import MAX_BATCH_MESSAGES, encode_results

BATCH_BYTES = 6 * 1024 * 1024


class NewMessages(Body, frozen=True):
    """Several messages for one chat, in their order."""

    messages: Annotated[list[NewMessage], msgspec.Meta(min_length=1, max_length=MAX_BATCH_MESSAGES)]


class Result(msgspec.Struct, frozen=True):
    """The result of one message: 201 or, for a repeat, 200 with the `message`; otherwise the `problem`. A
    problem does not affect the other messages."""

    status: Annotated[int, msgspec.Meta(examples=[201])]
    message: Message | msgspec.UnsetType = msgspec.UNSET
    problem: ProblemBody | msgspec.UnsetType = msgspec.UNSET


class Results(msgspec.Struct, frozen=True):
    """The result of each message, in the order of the request."""

    results: list[Result]


@operation(
    "sendMessages",
    Answer(Results),
    refuses=("malformed_utf8", "intake_full", "too_many_at_once"),
    body=NewMessages,
    body_bytes=BATCH_BYTES,
    tag="messages",
)
async def send_many(request: Request) -> Response:
    """Send many messages at once

    For bridges, bots and imports. Each message is stored or refused independently; the results are in the order of the
    request. Each message counts against the rate limit, and a body counts as at least one message for each 64 KiB, even
    if it is refused.
    """
    check_json(request)
    user_id, quotas, share = claims(request).user_id, services(request).quotas, sharing.required(request)
    quotas.messages.take(user_id)
    messages_count = 1
    with quotas.batches_at_once.one(user_id), share.body() as held:
        try:
            answers = await _send_batch(request, await read_bytes(request, BATCH_BYTES, held))
            messages_count = len(answers)
        finally:
            charged = quotas.messages.charge(user_id, max(messages_count, math.ceil(held.size / MESSAGE_BYTES)) - 1)
    request.scope["state"]["quota"] += charged
    results = [_result(answer, request.scope["state"]["request_id"]) for answer in answers]
    return Response(
        encode_results(results),
        media_type="application/json",
        headers={"cache-control": "no-store"},
    )


async def _send_batch(request: Request, body: bytes) -> list[tuple[int, bytes] | Problem]:
    """Send the batch; return the status and JSON of each message, or its problem.

    Raises:
        Problem: the whole batch is refused.
    """
    who, sender = claims(request), services(request).sender
    async with sharing.turn(request):
        answers = await sender.send_many(
            body, request.path_params["chat_id"], who.user_id, who.session_id, request.scope["state"]["request_id"]
        )
        sharing.count(request, len(answers) * SENT_ROWS)
    return answers


def _result(answer: tuple[int, bytes] | Problem, request_id: str) -> tuple[int, bool, bytes]:
    """Return the status of a message, whether it is refused, and its JSON."""
    if isinstance(answer, Problem):
        return answer.status, True, problems.body(answer, request_id)
    status, message = answer
    return status, False, message
