"""What a client starts from (`/api/sync`) and the event log for programs that poll (`/api/events`)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from fechatter.accounts import people, workspace
from fechatter.api.identity import read, services
from fechatter.api.responses import json_response
from fechatter.chats.views import chats_of
from fechatter.errors import Invalid
from fechatter.frames import Frame, block_json
from fechatter.hub import joining
from fechatter.model import Actor, Position
from fechatter.storage.engines.base import Transaction

MOST_EVENTS = 1_000
DEFAULT_EVENTS = 100
MOST_CHATS = 10_000


async def sync(request: Request) -> Response:
    """GET /api/sync: everything a client shows at first, as of `cursor`, all from one snapshot."""

    async def work(tx: Transaction, actor: Actor) -> dict[str, object]:
        return {
            "me": await people.show(tx, actor, actor.user_id),
            "workspace": await workspace.show(tx, actor),
            "chats": await chats_of(tx, actor, limit=MOST_CHATS),
        }

    state, position = await read(request, work)
    return json_response({"cursor": str(position), **state}, position=position)


async def events(request: Request) -> Response:
    """GET /api/events?after=&limit="""
    cursor, limit = _cursor(request), _limit(request)
    settings = services(request).settings

    async def work(tx: Transaction, actor: Actor) -> bytes:
        frames, reached, more = await joining.page(tx, actor, cursor, limit, settings)
        return _page(frames, actor, reached, more=more)

    body, position = await read(request, work)
    headers = {"cache-control": "no-store", "event-cursor": str(position)}
    return Response(body, media_type="application/json", headers=headers)


def _page(frames: list[Frame], actor: Actor, reached: Position, *, more: bool) -> bytes:
    shown = b",".join(block_json(frame.block_for(actor.user_id)) for frame in frames)
    return b'{"events":[%b],"cursor":"%b","more":%b}' % (shown, str(reached).encode(), b"true" if more else b"false")


def _cursor(request: Request) -> Position:
    unknown = set(request.query_params) - {"after", "limit"}
    if unknown:
        raise Invalid.field(f"?{min(unknown)}", "unknown_parameter", "There is no such parameter here.")
    position = Position.parse(request.query_params.get("after", ""))
    if position is None:
        raise Invalid.field("?after", "invalid_cursor", "A position, as /api/sync and every event give it.")
    return position


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(DEFAULT_EVENTS))
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= MOST_EVENTS):
        raise Invalid.field("?limit", "out_of_range", f"A whole number from 1 to {MOST_EVENTS}.")
    return int(text)
