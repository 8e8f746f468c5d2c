"""/api/chat: making chats, listing one's own, changing them, joining and leaving, marking what was read."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fechatter.api.bodies import Body, read_body
from fechatter.api.identity import read, write
from fechatter.api.paging import page_of, read_page
from fechatter.api.responses import json_response, no_content
from fechatter.chats import change, create, membership, reading, views
from fechatter.errors import Invalid
from fechatter.model import MAX_ID


class ReadMark(Body, frozen=True):
    """How far the asking person has read."""

    number: Annotated[int, msgspec.Meta(ge=0, le=MAX_ID)]


async def index(request: Request) -> Response:
    """A page of the chats one is in."""
    page = read_page(request)
    chats, position = await read(request, lambda tx, actor: views.chats_of(tx, actor, after=page.after, limit=page.limit + 1))
    return json_response(page_of(chats, page), position=position)


async def create_chat(request: Request) -> Response:
    """201 with the new chat; 200 with the one that was there already."""
    wanted = with_header_key(request, await read_body(request, create.WantedChat))
    created = await write(request, lambda tx, actor: create.create(tx, actor, wanted))
    return json_response(created.chat, 201 if created.new else 200)


def with_header_key(request: Request, wanted: create.WantedChat) -> create.WantedChat:
    """The request with the key of its Idempotency-Key header. Raises Invalid: the body has another, or it is not UTF-8."""
    header = request.headers.get("idempotency-key")
    if header is None:
        return wanted
    try:
        key = header.encode("latin-1").decode()
    except UnicodeDecodeError as error:
        detail = "The Idempotency-Key header is not UTF-8."
        raise Invalid.field("/idempotency_key", "invalid_key", detail) from error
    if wanted.idempotency_key not in (None, key):
        raise Invalid.field("/idempotency_key", "key_mismatch", "differs from the Idempotency-Key header")
    return msgspec.structs.replace(wanted, idempotency_key=key)


async def show(request: Request) -> Response:
    """One chat that one is in."""
    chat_id = request.path_params["chat_id"]
    chat, position = await read(request, lambda tx, actor: views.chat_of(tx, actor, chat_id))
    return json_response(chat, position=position)


async def update(request: Request) -> Response:
    """Rename, describe, archive or bring back."""
    chat_id = request.path_params["chat_id"]
    wanted = await read_body(request, change.Change)
    return json_response(await write(request, lambda tx, actor: change.change(tx, actor, chat_id, wanted)))


async def delete(request: Request) -> Response:
    """End a chat for everybody."""
    chat_id = request.path_params["chat_id"]
    await write(request, lambda tx, actor: change.delete(tx, actor, chat_id))
    return no_content()


async def join(request: Request) -> Response:
    """Join a public channel."""
    chat_id = request.path_params["chat_id"]
    return json_response(await write(request, lambda tx, actor: membership.join(tx, actor, chat_id)))


async def leave(request: Request) -> Response:
    """Leave a chat."""
    chat_id = request.path_params["chat_id"]
    await write(request, lambda tx, actor: membership.leave(tx, actor, chat_id))
    return no_content()


async def mark_read(request: Request) -> Response:
    """Move one's read mark forward."""
    chat_id = request.path_params["chat_id"]
    mark = await read_body(request, ReadMark)
    await write(request, lambda tx, actor: reading.mark_read(tx, actor, chat_id, mark.number))
    return no_content()
