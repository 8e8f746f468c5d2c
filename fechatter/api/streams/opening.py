"""Opening a live stream, the same for every way to deliver it."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.types import Send

from fechatter.api import sharing
from fechatter.api.identity import claims, services
from fechatter.errors import Invalid
from fechatter.hub.listener import Listener, Reader
from fechatter.model import Position

_STREAM_HEADER = b"x-fechatter-stream"
REPLAYED_KIB_ROWS = 4
"""The work (`fechatter/auth/pace.py`) for 1 KiB of a replay: about four events, each read and encoded."""


async def open_stream(request: Request, cursor: Position | None, seen: Sequence[Position]) -> Listener:
    """Open a stream for the signed-in person, in the person's turn. Raises the errors of `Hub.open`."""
    found = services(request)
    async with sharing.turn(request):
        who = claims(request)
        reader = Reader(who.user_id, who.workspace_id, who.session_id)
        listener = await found.hub.open(reader, cursor, seen)
        sharing.count(request, listener.pending_bytes / sharing.KIB * REPLAYED_KIB_ROWS)
    found.watch.streams.opened += 1
    return listener


def cursor_of(request: Request, in_query: str) -> Position | None:
    """Return the position from Last-Event-ID, or else from the query. Raises Invalid: not a position, or two
    headers."""
    given = request.headers.getlist("last-event-id")
    if len(given) > 1:
        raise Invalid.field("Last-Event-ID", "invalid_cursor", "Send only one Last-Event-ID.")
    header = given[0] if given else ""
    if not header and not in_query:
        return None
    return parse_cursor(header or in_query, "Last-Event-ID" if header else "?last_event_id")


def parse_cursor(text: str, place: str) -> Position:
    """Return the position that a client sent. Raises Invalid: the text is not a position."""
    position = Position.parse(text)
    if position is None:
        raise Invalid.field(place, "invalid_cursor", "Use the `id:` of an event.")
    return position


async def hand_over(listener: Listener, send: Send, headers: list[tuple[bytes, bytes]], status: int = 200) -> None:
    """Answer the gateway with the stream that it writes from now on."""
    headers = [*headers, (b"content-length", b"0"), (_STREAM_HEADER, b"%d" % listener.hand_over())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
