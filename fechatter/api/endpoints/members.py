"""The members of a chat."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fechatter.api.bodies import Body
from fechatter.api.identity import read, write
from fechatter.api.operations import Answer, operation
from fechatter.api.paging import Items, Page, page_of
from fechatter.api.responses import json_response, no_content
from fechatter.chats import membership, views
from fechatter.chats.people import PersonId
from fechatter.model import Member


class NamedMembers(Body, frozen=True):
    """The people to add or remove."""

    members: Annotated[list[PersonId], msgspec.Meta(examples=[[7, 8]])]


class NewRole(Body, frozen=True):
    """The new role. Ownership can be transferred, but not given up."""

    role: Literal["owner"]


@operation("listMembers", Answer(Items[Member], position=True))
async def index(request: Request, page: Page) -> Response:
    """List the members of a chat"""
    chat_id = request.path_params["chat_id"]
    members, position = await read(
        request, lambda tx, actor: views.members_of(tx, actor, chat_id, after=page.after, limit=page.limit + 1)
    )
    return json_response(page_of(members, page, key="user_id"), position=position)


@operation(
    "addMembers",
    Answer(Items[Member], means="The new members, without people who were members already."),
    refuses=("forbidden", "chat_archived"),
)
async def add(request: Request, named: NamedMembers) -> Response:
    """Add people to a chat

    They see the whole history.
    """
    chat_id = request.path_params["chat_id"]
    added = await write(request, lambda tx, actor: membership.add(tx, actor, chat_id, named.members))
    return json_response(Items(added, None))


@operation("removeMembers", Answer(None, 204), refuses=("forbidden",))
async def remove(request: Request, named: NamedMembers) -> Response:
    """Remove several people from a chat

    People who are not members are ignored.
    """
    chat_id = request.path_params["chat_id"]
    await write(request, lambda tx, actor: membership.remove(tx, actor, chat_id, named.members))
    return no_content()


@operation("removeMember", Answer(None, 204), refuses=("forbidden",))
async def remove_one(request: Request) -> Response:
    """Remove a person from a chat, or leave it"""
    chat_id, user_id = request.path_params["chat_id"], request.path_params["user_id"]
    await write(request, lambda tx, actor: membership.remove_one(tx, actor, chat_id, user_id))
    return no_content()


@operation("transferChat", Answer(Member), refuses=("forbidden", "chat_archived"))
async def transfer(request: Request, wanted: NewRole) -> Response:
    """Make a member the owner of the chat

    The previous owner stays a member.
    """
    chat_id, user_id = request.path_params["chat_id"], request.path_params["user_id"]
    return json_response(await write(request, lambda tx, actor: membership.transfer(tx, actor, chat_id, user_id)))
