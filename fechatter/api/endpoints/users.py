"""People over HTTP."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from fechatter.accounts import people
from fechatter.api.bodies import read_body
from fechatter.api.identity import read, write
from fechatter.api.paging import MOST_ITEMS, page_of, read_page
from fechatter.api.responses import json_response
from fechatter.errors import Invalid
from fechatter.model import MAX_ID, Actor, User, UserId
from fechatter.storage.engines.base import Transaction

PREFIX_CHARACTERS = 100


async def index(request: Request) -> Response:
    """GET /api/users?q=&ids=."""
    page, ids, prefix = read_page(request, "q", "ids"), _ids(request), _prefix(request)

    async def work(tx: Transaction, actor: Actor) -> list[User]:
        if ids is not None:
            return await people.many(tx, actor, ids, page.after, page.limit + 1)
        return await people.page(tx, actor, prefix, page.after, page.limit + 1)

    found, position = await read(request, work)
    return json_response(page_of(found, page), position=position)


def _prefix(request: Request) -> str:
    prefix = request.query_params.get("q", "")
    if len(prefix) > PREFIX_CHARACTERS or (prefix and not prefix.isprintable()):
        raise Invalid.field("?q", "invalid_value", f"Up to {PREFIX_CHARACTERS} printable characters.")
    return prefix


def _ids(request: Request) -> list[int] | None:
    text = request.query_params.get("ids")
    if text is None:
        return None
    parts = text.split(",")
    if len(parts) > MOST_ITEMS or not all(_is_id(part) for part in parts):
        raise Invalid.field("?ids", "invalid_value", f"Up to {MOST_ITEMS} ids, separated by commas.")
    if "q" in request.query_params:
        raise Invalid.field("?ids", "not_together", "Either q or ids.")
    return [int(part) for part in parts]


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 16 and 0 < int(text) <= MAX_ID


async def show(request: Request) -> Response:
    """GET /api/users/{user_id}."""
    user_id = UserId(request.path_params["user_id"])
    user, position = await read(request, lambda tx, actor: people.show(tx, actor, user_id))
    return json_response(user, position=position)


async def show_me(request: Request) -> Response:
    """GET /api/users/me."""
    user, position = await read(request, lambda tx, actor: people.show(tx, actor, actor.user_id))
    return json_response(user, position=position)


async def update_me(request: Request) -> Response:
    """PATCH /api/users/me."""
    wanted = await read_body(request, people.Profile)
    return json_response(await write(request, lambda tx, actor: people.update_own(tx, actor, wanted)))


async def update(request: Request) -> Response:
    """PATCH /api/users/{user_id}."""
    user_id = UserId(request.path_params["user_id"])
    wanted = await read_body(request, people.Standing)
    return json_response(await write(request, lambda tx, actor: people.update(tx, actor, user_id, wanted)))
