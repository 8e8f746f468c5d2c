"""What this server is and allows, for anybody who asks."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from fechatter import __version__
from fechatter.api.bodies import BODY_BYTES
from fechatter.api.endpoints.messages import BATCH_BYTES
from fechatter.api.identity import services
from fechatter.api.paging import MOST_ITEMS
from fechatter.api.responses import json_response
from fechatter.auth import passwords
from fechatter.chats.names import DESCRIPTION_CHARACTERS, NAME_CHARACTERS
from fechatter.chats.people import MEMBERS_PER_REQUEST
from fechatter.native import MAX_BATCH_MESSAGES, MAX_CONTENT_CHARACTERS, MAX_KEY_CHARACTERS
from fechatter.storage.server import is_set_up

API_LEVEL = 1
FEATURES = ["sse"]
LIMITS = {
    "message_characters": MAX_CONTENT_CHARACTERS,
    "idempotency_key_characters": MAX_KEY_CHARACTERS,
    "body_bytes": BODY_BYTES,
    "batch_messages": MAX_BATCH_MESSAGES,
    "batch_bytes": BATCH_BYTES,
    "page_items": MOST_ITEMS,
    "chat_name_characters": NAME_CHARACTERS,
    "chat_description_characters": DESCRIPTION_CHARACTERS,
    "chat_members_per_request": MEMBERS_PER_REQUEST,
    "password_characters_least": passwords.LEAST_CHARACTERS,
    "password_characters_most": passwords.MOST_CHARACTERS,
}


async def show(request: Request) -> Response:
    """GET /api/server."""
    settings = services(request).settings
    return json_response(
        {
            "version": __version__,
            "api_level": API_LEVEL,
            "features": FEATURES,
            "limits": LIMITS,
            "set_up": await services(request).database.read(is_set_up),
            "signup": settings.signup,
            "name": settings.name,
        }
    )
