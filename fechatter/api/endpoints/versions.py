"""The earlier contents of an edited message."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from fechatter.api.identity import read
from fechatter.api.operations import Answer, operation
from fechatter.api.paging import Items, Page, page_of
from fechatter.api.responses import json_response
from fechatter.messages import versions
from fechatter.storage.messages import Version


@operation("listVersions", Answer(Items[Version], position=True), refuses=("not_the_sender",))
async def index(request: Request, page: Page) -> Response:
    """List the earlier contents of an edited message

    Oldest first, without the current content. For the message's sender, and for admins who are members of the chat.
    """
    chat_id, message_id = request.path_params["chat_id"], request.path_params["message_id"]
    found, position = await read(
        request, lambda tx, actor: versions.page(tx, actor, chat_id, message_id, page.after, page.limit + 1)
    )
    return json_response(page_of(found, page, key="revision"), position=position)
