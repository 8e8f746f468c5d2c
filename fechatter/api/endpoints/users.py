"""The people of a workspace."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fechatter.accounts import people, status
from fechatter.api import labels, sharing
from fechatter.api.bodies import Id
from fechatter.api.identity import read, read_row, write
from fechatter.api.operations import Answer, operation
from fechatter.api.paging import MAX_ITEMS, Items, Page, page_of
from fechatter.api.responses import bytes_response, json_response
from fechatter.auth.pace import SEARCH_ROWS
from fechatter.errors import Invalid
from fechatter.model import Actor, User, UserId, encode
from fechatter.rights.workspace import sees_only_met
from fechatter.storage import users
from fechatter.storage.engines.base import Transaction

QUERY_CHARACTERS = 100


class UserQuery(Page, frozen=True):
    """Which people. Raises Invalid: both `q` and `ids`, or a control character."""

    q: Annotated[
        str,
        msgspec.Meta(
            max_length=QUERY_CHARACTERS,
            description="Words; each must be a part of the name or the handle.",
            examples=["ada"],
        ),
    ] = ""
    ids: (
        Annotated[
            list[Id],
            msgspec.Meta(
                max_length=MAX_ITEMS, description="The ids of these people; not together with `q`.", examples=[[7, 8]]
            ),
        ]
        | None
    ) = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.q and not self.q.isprintable():
            raise Invalid.field("?q", "control_character", "Use printable characters only.")
        if self.q and self.ids is not None:
            raise Invalid.field("?ids", "not_together", "Use either q or ids.")


@operation("listUsers", Answer(Items[User], position=True))
async def index(request: Request, page: UserQuery) -> Response:
    """List the people of the workspace

    Guests find only people with whom they share a chat.
    """

    async def work(tx: Transaction, actor: Actor) -> list[User]:
        if page.ids is not None:
            return await people.many(tx, actor, page.ids, page.after, page.limit + 1)
        return await people.page(tx, actor, page.q, page.after, page.limit + 1)

    if page.q:
        sharing.count(request, SEARCH_ROWS)
    found, position = await read(request, work)
    return json_response(page_of(found, page), position=position)


@operation("showUser", Answer(User, position=True))
async def show(request: Request) -> Response:
    """Show a person"""
    user_id = UserId(request.path_params["user_id"])

    async def work(tx: Transaction, actor: Actor) -> tuple[User, Actor]:
        return await people.show(tx, actor, user_id), actor

    (user, actor), position = await read(request, work)
    # Whom a guest sees also depends on the chats of others.
    kept = () if sees_only_met(actor.role) or _ends(user) else labels.for_session(request, user_id, actor.user_id)
    return bytes_response(encode(user), position, kept)


@operation("showMe", Answer(User, position=True))
async def show_me(request: Request) -> Response:
    """Show your own profile"""
    row, actor, position = await read_row(request, users.read_me)
    user = users.me(row, actor.role)
    kept = () if _ends(user) else labels.for_session(request, actor.user_id)
    return bytes_response(encode(user), position, kept)


def _ends(user: User) -> bool:
    """Whether the response changes without an event, when the person's status ends."""
    return user.status is not None and user.status.until is not None


@operation("updateMe", Answer(User), refuses=("handle_taken",))
async def update_me(request: Request, wanted: people.Profile) -> Response:
    """Change your own profile

    Fields that are left out stay unchanged.
    """
    return json_response(await write(request, lambda tx, actor: people.update_own(tx, actor, wanted)))


@operation("updateUser", Answer(User), refuses=("forbidden", "last_owner"))
async def update(request: Request, wanted: people.Standing) -> Response:
    """Change a person's role, or disable or enable the person

    For owners and admins. A disabled person is signed out everywhere.
    """
    user_id = UserId(request.path_params["user_id"])
    return json_response(await write(request, lambda tx, actor: people.update(tx, actor, user_id, wanted)))


@operation("setStatus", Answer(User))
async def set_status(request: Request, wanted: status.WantedStatus) -> Response:
    """Set your status

    It replaces your earlier status. Everybody who sees you sees it, until its end.
    """
    return json_response(await write(request, lambda tx, actor: status.set_status(tx, actor, wanted)))


@operation("clearStatus", Answer(User))
async def clear_status(request: Request) -> Response:
    """Clear your status"""
    return json_response(await write(request, status.clear))
