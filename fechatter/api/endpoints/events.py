"""The state from which a client starts, and the event log for polling clients."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fechatter.accounts import people, workspace
from fechatter.api.contract.frames import Cursor, Event
from fechatter.api.identity import claims, read, services
from fechatter.api.operations import Answer, operation, seen_of
from fechatter.api.queries import Query
from fechatter.api.responses import bytes_response, json_response
from fechatter.auth.stream_tickets import TICKET_SECONDS
from fechatter.chats.views import encoded_chats_of
from fechatter.errors import Invalid
from fechatter.frames import Frame, block_json
from fechatter.hub import joining
from fechatter.model import Actor, Chat, Position, User, Workspace, encode
from fechatter.storage.engines.base import Transaction

MAX_EVENTS = 1_000
DEFAULT_EVENTS = 100
MAX_CHATS = 10_000


class State(msgspec.Struct, frozen=True):
    """Everything that a client shows at first, as of `cursor`."""

    cursor: Cursor
    me: User
    workspace: Workspace
    chats: list[Chat]


class EventQuery(Query, frozen=True):
    """Which part of the log. Raises Invalid: `after` is not a position."""

    after: Cursor
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_EVENTS, description="Maximum number of events.")] = DEFAULT_EVENTS

    def __post_init__(self) -> None:
        position_of(self.after)


class EventPage(msgspec.Struct, frozen=True):
    """A part of the log. Continue with `cursor`, immediately if there is `more`."""

    events: list[Event]
    cursor: Cursor
    more: bool


def position_of(cursor: str) -> Position:
    """Return the position of a cursor. Raises Invalid."""
    position = Position.parse(cursor)
    if position is None:
        raise Invalid.field("?after", "invalid_cursor", "Use the cursor of /api/sync, or of an earlier response.")
    return position


@operation("sync", Answer(State, position=True))
async def sync(request: Request) -> Response:
    """Load everything that a client shows at first

    The state is one snapshot, as of `cursor`. Open the live stream with this cursor to miss no event.
    """

    async def work(tx: Transaction, actor: Actor) -> tuple[dict[str, object], bytes]:
        state: dict[str, object] = {
            "me": await people.show(tx, actor, actor.user_id),
            "workspace": await workspace.show(tx, actor),
        }
        return state, await encoded_chats_of(tx, actor, limit=MAX_CHATS)

    (state, chats), position = await read(request, work)
    body = encode({"cursor": str(position), **state})[:-1] + b',"chats":' + chats + b"}"
    return bytes_response(body, position)


@operation("listEvents", Answer(EventPage, position=True), refuses=("reset",))
async def events(request: Request, wanted: EventQuery) -> Response:
    """Poll the event log

    The same events as in the live stream, for programs that cannot keep a connection. `after` is the `cursor` of the
    previous response; the first request uses the `cursor` of `/api/sync`. Send the next request immediately while there
    is `more`.
    """
    cursor, limit = position_of(wanted.after), wanted.limit
    settings, seen = services(request).settings, seen_of(request)

    async def work(tx: Transaction, actor: Actor) -> bytes:
        frames, reached, more = await joining.page(tx, actor, cursor, seen, limit, settings)
        return _page(frames, actor, reached, more=more)

    body, position = await read(request, work)
    return bytes_response(body, position)


def _page(frames: list[Frame], actor: Actor, reached: Position, *, more: bool) -> bytes:
    shown = b",".join(block_json(frame.block_for(actor.user_id)) for frame in frames)
    return b'{"events":[%b],"cursor":"%b","more":%b}' % (shown, str(reached).encode(), b"true" if more else b"false")


class StreamTicket(msgspec.Struct, frozen=True):
    """A ticket that opens one WebSocket. `expires_in` is in seconds."""

    ticket: Annotated[str, msgspec.Meta(examples=["Zk3mXo…"])]
    expires_in: Annotated[int, msgspec.Meta(examples=[TICKET_SECONDS])]


@operation("createStreamTicket", Answer(StreamTicket))
async def create_ticket(request: Request) -> Response:
    """Create a ticket for a WebSocket

    For browsers, which cannot send `Authorization` with it: open `/ws?ticket=…`. It opens one stream of this session.
    """

    async def check_session(_tx: Transaction, _actor: Actor) -> None:
        pass

    await read(request, check_session)
    ticket = services(request).stream_tickets.issue(claims(request))
    return json_response(StreamTicket(ticket, TICKET_SECONDS))
