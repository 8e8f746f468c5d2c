"""The devices on which a person is signed in."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fechatter.accounts import sessions
from fechatter.api.identity import read, write
from fechatter.api.operations import Answer, operation
from fechatter.api.paging import Items, Page, page_of
from fechatter.api.responses import json_response, no_content
from fechatter.model import Actor, SessionId, Timestamp, timestamp
from fechatter.storage import sessions as rows
from fechatter.storage.engines.base import Transaction


class SessionView(msgspec.Struct, frozen=True):
    """A session, as its own person sees it. `current` is true for the session of this request."""

    id: Annotated[SessionId, msgspec.Meta(examples=[90])]
    created_at: Timestamp
    last_used_at: Timestamp
    expires_at: Timestamp
    address: Annotated[
        str, msgspec.Meta(description="The address of the client that signed in.", examples=["192.0.2.7"])
    ]
    user_agent: Annotated[str, msgspec.Meta(examples=["Mozilla/5.0"])]
    current: bool


def _view(session: rows.Session, actor: Actor) -> SessionView:
    return SessionView(
        id=session.id,
        created_at=timestamp(session.created_at),
        last_used_at=timestamp(session.last_used_at),
        expires_at=timestamp(session.expires_at),
        address=session.address,
        user_agent=session.user_agent,
        current=session.id == actor.session_id,
    )


@operation("listSessions", Answer(Items[SessionView]))
async def index(request: Request, page: Page) -> Response:
    """List the devices on which you are signed in"""

    async def work(tx: Transaction, actor: Actor) -> list[SessionView]:
        return [_view(session, actor) for session in await rows.live(tx, actor.user_id, page.after, page.limit + 1)]

    found, _ = await read(request, work)
    return json_response(page_of(found, page))


@operation("endSession", Answer(None, 204))
async def delete(request: Request) -> Response:
    """Sign a device out

    Its live streams end, and its tokens become invalid.
    """
    session_id = SessionId(request.path_params["session_id"])
    await write(request, lambda tx, actor: sessions.end_own(tx, actor, session_id))
    return no_content()
