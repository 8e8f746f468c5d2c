"""/api/channels: the public channels one may join."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from fechatter.api.identity import read
from fechatter.api.paging import page_of, read_page
from fechatter.api.responses import json_response
from fechatter.chats.channels import channels_of


async def index(request: Request) -> Response:
    """A page of the directory; `?q=` is a part of the name."""
    page = read_page(request, "q")
    query = request.query_params.get("q", "")
    channels, position = await read(request, lambda tx, actor: channels_of(tx, actor, query, after=page.after, limit=page.limit + 1))
    return json_response(page_of(channels, page), position=position)
