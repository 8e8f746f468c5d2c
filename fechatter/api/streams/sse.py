"""GET /events: a live stream as Server-Sent Events.

Behind the gateway, the response is the id of the stream, and the gateway writes it. Otherwise this module does. Each
write sends the waiting blocks, up to 64 KiB. A quiet stream gets a heartbeat: an empty block whose `id:` keeps the
client's cursor current.
"""

from __future__ import annotations

import asyncio
import inspect
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from fechatter.api import sharing
from fechatter.api.counting import signed_in_person
from fechatter.api.identity import claims, services
from fechatter.api.middleware.behind_gateway import STREAMS
from fechatter.api.operations import POSITION_HEADER, Answer, Operation, seen_of
from fechatter.api.queries import Query, read_query
from fechatter.errors import Invalid
from fechatter.hub.listener import Listener, Reader, closing_block
from fechatter.hub.states import CloseReason
from fechatter.model import Position
from fechatter.services import Services

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
_STREAM_HEADER = b"x-fechatter-stream"
LAST_WRITE_SECONDS = 1.0
REPLAYED_KIB_ROWS = 4
"""The work (`fechatter/auth/pace.py`) for 1 KiB of a replay: about four events, each read and encoded."""


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
            async with sharing.turn(request):
                who = claims(request)
                reader = Reader(who.user_id, who.workspace_id, who.session_id)
                listener = await found.hub.open(reader, _cursor(request), seen_of(request))
                sharing.count(request, listener.pending_bytes / sharing.KIB * REPLAYED_KIB_ROWS)
        found.watch.streams.opened += 1
        if STREAMS in scope.get("extensions", {}):
            await _hand_over(listener.hand_over(), send)
            return
        watch = found.tasks.start("watch a stream's client", _until_gone(receive, listener))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await _write(listener, found, send)
        except asyncio.CancelledError:
            if listener.closed is None:
                raise
        finally:
            watch.cancel()
            found.watch.streams.closed[listener.closed or CloseReason.GONE] += 1
            found.hub.leave(listener)


async def _hand_over(stream_id: int, send: Send) -> None:
    """Answer the gateway with the stream that it writes from now on."""
    headers = [*_HEADERS, (b"content-length", b"0"), (_STREAM_HEADER, b"%d" % stream_id)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _until_gone(receive: Receive, listener: Listener) -> None:
    """Close the listener when the client disconnects. Writes do not notice it: they succeed even then."""
    while (await receive())["type"] != "http.disconnect":
        pass
    listener.close(CloseReason.GONE)


async def _write(listener: Listener, found: Services, send: Send) -> None:
    """Write until the listener is closed. A blocked write is cancelled through `Listener.check_pace`."""
    task = asyncio.current_task()
    if task is not None:
        listener.on_abort(task.cancel)
    while listener.closed is None:
        await found.hub.read_on(listener)
        await listener.wait(found.settings.heartbeat_seconds)
        waiting = listener.pending
        if block := listener.take() or found.hub.heartbeat(listener):
            found.watch.streams.wrote(waiting - listener.pending, len(block))
            await _send(listener, send, block)
    if listener.closed is not CloseReason.GONE:
        await _send_closing(listener, send)


async def _send(listener: Listener, send: Send, block: bytes) -> None:
    listener.write_started()
    await send({"type": "http.response.body", "body": block, "more_body": True})
    listener.write_ended()


async def _send_closing(listener: Listener, send: Send) -> None:
    """Send what still waits, then the reason, unless the client takes longer than a second to receive it."""
    block = listener.take() + closing_block(listener.closed or CloseReason.GONE)
    try:
        async with asyncio.timeout(LAST_WRITE_SECONDS):
            await send({"type": "http.response.body", "body": block})
    except TimeoutError:
        return


def _cursor(request: Request) -> Position | None:
    """Return the position from Last-Event-ID, or else from the query. Raises Invalid: not a position, or two
    headers."""
    query = read_query(request, StreamQuery)
    given = request.headers.getlist("last-event-id")
    if len(given) > 1:
        raise Invalid.field("Last-Event-ID", "invalid_cursor", "Send only one Last-Event-ID.")
    header = given[0] if given else ""
    text = header or query.last_event_id
    if not text:
        return None
    position = Position.parse(text)
    if position is None:
        place = "Last-Event-ID" if header else "?last_event_id"
        raise Invalid.field(place, "invalid_cursor", "Use the `id:` of an event.")
    return position
