"""GET /events: a live stream as Server-Sent Events.

Behind the gateway, the response is the id of the stream, and the gateway writes it. Otherwise this module does. Each
write sends the waiting blocks, up to 64 KiB. A quiet stream gets a heartbeat: an empty block whose `id:` keeps the
client's cursor current.
"""

from __future__ import annotations

import inspect
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from fechatter.api.counting import signed_in_person
from fechatter.api.identity import services
from fechatter.api.middleware.behind_gateway import STREAMS
from fechatter.api.operations import POSITION_HEADER, Answer, Operation, seen_of
from fechatter.api.queries import Query, read_query
from fechatter.api.streams.opening import cursor_of, hand_over, open_stream
from fechatter.api.streams.writing import write
from fechatter.hub.listener import Listener
from fechatter.hub.states import CloseReason

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class StreamQuery(Query, frozen=True):
    """The position from which the stream continues, for clients that cannot send the header."""

    last_event_id: Annotated[
        str, msgspec.Meta(description="The same as the header `Last-Event-ID`.", examples=["5f2c81d0.1204"])
    ] = ""


class EventStream:
    """Listen to the live stream

    Server-Sent Events. The first block is `hello`. If you send the `id:` of the last block that you saw as
    `Last-Event-ID`, the events that you missed follow, and then `resumed`. Keep the newest `id:`, also from heartbeats
    (blocks with only an `id:`). After `reset`, load `/api/sync`. After `closing`, or when the connection breaks,
    connect again: send the newest `id:`, and send the `Event-Cursor`s of your responses in that header. Treat a
    silence of three times `heartbeat_seconds` as a broken connection. A stream continues when its access token expires;
    it ends with the session.
    """

    # An ASGI app of its own, because a stream is not a Response.
    operation = Operation(
        id="streamEvents",
        tag="events",
        description=inspect.cleandoc(__doc__),
        answers=(Answer(str, media_type="text/event-stream"),),
        refuses=("session_ended", "too_many_streams", "stream_behind"),
        query=StreamQuery,
        headers=("Last-Event-ID", POSITION_HEADER),
    )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        found = services(request)
        with signed_in_person(request):
            if request.method == "HEAD":
                await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
                await send({"type": "http.response.body", "body": b""})
                return
            cursor = cursor_of(request, read_query(request, StreamQuery).last_event_id)
            listener = await open_stream(request, cursor, seen_of(request))
        if STREAMS in scope.get("extensions", {}):
            await hand_over(listener, send, _HEADERS)
            return
        watch = found.tasks.start("watch a stream's client", _until_gone(receive, listener))

        async def start() -> None:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})

        async def emit(block: bytes, is_last: bool) -> None:
            await send({"type": "http.response.body", "body": block, "more_body": not is_last})

        try:
            await write(listener, found, start, emit)
        finally:
            watch.cancel()


async def _until_gone(receive: Receive, listener: Listener) -> None:
    """Close the listener when the client disconnects. Writes do not notice it: they succeed even then."""
    while (await receive())["type"] != "http.disconnect":
        pass
    listener.close(CloseReason.GONE)
