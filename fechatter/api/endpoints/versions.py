"""/api/chat/{chat_id}/messages/{message_id}/versions: what an edited message said before."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from fechatter.api.identity import read
from fechatter.api.paging import page_of, read_page
from fechatter.api.responses import json_response
from fechatter.messages import versions


async def index(request: Request) -> Response:
    """A page of earlier contents, oldest first."""
    chat_id, message_id = request.path_params["chat_id"], request.path_params["message_id"]
    page = read_page(request)
    found, position = await read(request, lambda tx, actor: versions.page(tx, actor, chat_id, message_id, page.after, page.limit + 1))
    return json_response(page_of(found, page, key="revision"), position=position)
