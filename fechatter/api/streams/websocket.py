"""GET /ws: a live stream as a WebSocket, and the messages that its client sends.

The response has the status 101. Behind the gateway, it is the id of the stream: the gateway writes the stream, and
passes on complete messages. Otherwise this module does both, and the HTTP server handles the frames.
"""

from __future__ import annotations

import asyncio
import inspect
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from fechatter.api.clients import address
from fechatter.api.counting import signed_in_person
from fechatter.api.identity import claims, services
from fechatter.api.middleware.behind_gateway import STREAMS
from fechatter.api.operations import MAX_SEEN, POSITION_HEADER, Answer, Operation, seen_of
from fechatter.api.queries import Query, read_query
from fechatter.api.streams.commands import MESSAGE_BYTES
from fechatter.api.streams.conversation import Conversation
from fechatter.api.streams.handshake import Headers, accept, sign_in
from fechatter.api.streams.opening import cursor_of, hand_over, open_stream, parse_cursor
from fechatter.api.streams.writing import write
from fechatter.errors import Invalid
from fechatter.hub.listener import Listener
from fechatter.hub.states import CloseReason
from fechatter.model import Position
from fechatter.native import text_messages
from fechatter.services import Services

SWITCHING_PROTOCOLS = 101
NOT_TEXT = 1003
TOO_LARGE = 1009


class SocketQuery(Query, frozen=True):
    """What browsers cannot send in headers."""

    ticket: Annotated[
        str, msgspec.Meta(description="A ticket of `POST /api/stream-ticket`, instead of `Authorization`.")
    ] = ""
    last_event_id: Annotated[
        str, msgspec.Meta(description="The newest `id` that you have, as for `/events`.", examples=["5f2c81d0.1204"])
    ] = ""
    event_cursor: Annotated[
        list[str],
        msgspec.Meta(description="The `Event-Cursor`s of your responses.", examples=[["5f2c81d0.1204"]]),
    ] = msgspec.field(default_factory=list)


class WebSocketStream:
    """Listen to the live stream with a WebSocket

    The same stream as `/events`, as text messages `{"id", "event", "data"}`; a heartbeat has only an `id`. Offer the
    subprotocol `fechatter.v1`. The access token is in `Authorization`; browsers use a ticket instead.

    You can send text messages with a `type`, and with a `ref` of up to 64 characters, which the answer contains:

    * `send`, with `chat_id` and the body of `POST …/messages`. The answer is `sent` with the `message`, and with
      `repeated` if it was stored before.
    * `read`, with `chat_id` and the body of `PUT …/read`.
    * `typing`, with `chat_id`, like `POST …/typing`.
    * `presence`, with the body of `PUT /api/presence`.
    * `subscribe_presence`, with the body of `POST /api/presence/subscriptions`.
    * `ack`, with the `cursor` that you have received.
    * `resume`, with a `cursor` and the positions `seen`, as the first message only. The stream begins again with a
      `hello`; ignore what comes before it.

    If a message has a `ref`, it is answered with `done`, and with the `result` of the HTTP request. A refused message
    is answered with `problem`: the `ref` and the problem that the HTTP request would get. The quotas are the same.

    The close code is 4401 if the session has ended, 4408 if you read too slowly, and 1001 if the server stops. It is
    1013 if the stream cannot continue. Invalid frames have the codes of RFC 6455.
    """

    # An ASGI app of its own, because a stream is not a Response.
    operation = Operation(
        id="openWebSocket",
        tag="events",
        description=inspect.cleandoc(__doc__),
        answers=(Answer(None, SWITCHING_PROTOCOLS, "The connection is a WebSocket."),),
        refuses=(
            "session_ended",
            "invalid_ticket",
            "ticket_used",
            "ticket_expired",
            "cross_site",
            "upgrade_required",
            "too_many_streams",
            "stream_behind",
        ),
        query=SocketQuery,
        headers=("Last-Event-ID", POSITION_HEADER),
    )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        found = services(request)
        if "ticket" not in request.query_params:
            claims(request)
        query = read_query(request, SocketQuery)
        ticket = sign_in(request, query.ticket)
        with signed_in_person(request):
            headers = accept(request)
            cursor, seen = cursor_of(request, query.last_event_id), _seen(request, query)
            if ticket is not None:
                found.stream_tickets.use(ticket)
            listener = await open_stream(request, cursor, seen)
        client = address(request, found.settings)
        conversation = Conversation(scope["app"], listener, client, may_resume=cursor is None)
        if STREAMS in scope["extensions"]:
            listener.received = conversation
            await hand_over(listener, send, headers, SWITCHING_PROTOCOLS)
        else:
            await _converse(conversation, listener, found, receive, send, headers)


def _seen(request: Request, query: SocketQuery) -> list[Position]:
    """Return the positions that the client has seen in responses. Raises Invalid."""
    if len(query.event_cursor) > MAX_SEEN:
        raise Invalid.field("?event_cursor", "too_many", f"At most {MAX_SEEN} positions.")
    in_query = [parse_cursor(text, "?event_cursor") for text in query.event_cursor]
    return [*seen_of(request), *in_query]


async def _converse(
    conversation: Conversation, listener: Listener, found: Services, receive: Receive, send: Send, headers: Headers
) -> None:
    """Write the stream and answer the client's messages, in a server without the gateway."""
    refused = 0

    async def start() -> None:
        await send({"type": "http.response.start", "status": SWITCHING_PROTOCOLS, "headers": headers})

    async def emit(blocks: bytes, _is_last: bool) -> None:
        for text in text_messages(blocks):
            listener.write_started()  # a write is many messages here, and each is a sign that the client reads
            await send({"type": "websocket.send", "text": text})

    async def answer() -> None:
        nonlocal refused
        while not refused and (message := await receive())["type"] == "websocket.receive":
            text = message.get("text")
            content = b"" if text is None else text.encode()
            if text is None or len(content) > MESSAGE_BYTES:
                refused = NOT_TEXT if text is None else TOO_LARGE
            else:
                await conversation.answer(content)
        listener.close(CloseReason.GONE)

    answering = found.tasks.start("answer a client's messages", answer())
    try:
        await write(listener, found, start, emit)
    finally:
        answering.cancel()
    await asyncio.wait([answering])
    code = refused or (listener.closed or CloseReason.GONE).close_code
    await send({"type": "websocket.close", "code": code})
