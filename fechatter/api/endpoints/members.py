"""/api/chat/{id}/members: who is in a chat."""

from __future__ import annotations

from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from fechatter.api.bodies import Body, read_body
from fechatter.api.identity import read, write
from fechatter.api.paging import Items, page_of, read_page
from fechatter.api.responses import json_response, no_content
from fechatter.chats import membership, views
from fechatter.chats.people import PersonId


class Named(Body, frozen=True):
    """The people a request is about."""

    members: list[PersonId]


class NewRole(Body, frozen=True):
    """Ownership is handed over, never laid down."""

    role: Literal["owner"]


async def index(request: Request) -> Response:
    """A page of members, by user id."""
    chat_id = request.path_params["chat_id"]
    page = read_page(request)
    members, position = await read(request, lambda tx, actor: views.members_of(tx, actor, chat_id, after=page.after, limit=page.limit + 1))
    return json_response(page_of(members, page, key="user_id"), position=position)


async def add(request: Request) -> Response:
    """Let people in; answers with those who are new."""
    chat_id = request.path_params["chat_id"]
    named = await read_body(request, Named)
    added = await write(request, lambda tx, actor: membership.add(tx, actor, chat_id, named.members))
    return json_response(Items(added, None))


async def remove(request: Request) -> Response:
    """End the membership of the people in the body."""
    chat_id = request.path_params["chat_id"]
    named = await read_body(request, Named)
    await write(request, lambda tx, actor: membership.remove(tx, actor, chat_id, named.members))
    return no_content()


async def remove_one(request: Request) -> Response:
    """End the membership of the person in the address."""
    chat_id, user_id = request.path_params["chat_id"], request.path_params["user_id"]
    await write(request, lambda tx, actor: membership.remove_one(tx, actor, chat_id, user_id))
    return no_content()


async def transfer(request: Request) -> Response:
    """Make a member the owner."""
    chat_id, user_id = request.path_params["chat_id"], request.path_params["user_id"]
    await read_body(request, NewRole)
    return json_response(await write(request, lambda tx, actor: membership.transfer(tx, actor, chat_id, user_id)))
