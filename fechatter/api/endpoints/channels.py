"""The directory of public channels."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fechatter.api import sharing
from fechatter.api.identity import read
from fechatter.api.operations import Answer, operation
from fechatter.api.paging import Items, Page, page_of
from fechatter.api.responses import json_response
from fechatter.auth.pace import SEARCH_ROWS
from fechatter.chats.channels import Channel, channels_of


class ChannelQuery(Page, frozen=True):
    """Which channels."""

    q: Annotated[str, msgspec.Meta(description="A part of the name.", examples=["news"])] = ""


@operation("listChannels", Answer(Items[Channel], position=True))
async def index(request: Request, page: ChannelQuery) -> Response:
    """List the public channels, joined or not

    Without archived channels. Guests find only channels to which they were added.
    """
    if page.q:
        sharing.count(request, SEARCH_ROWS)
    channels, position = await read(
        request, lambda tx, actor: channels_of(tx, actor, page.q, after=page.after, limit=page.limit + 1)
    )
    return json_response(page_of(channels, page), position=position)
