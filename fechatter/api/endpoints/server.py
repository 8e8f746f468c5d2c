"""What this server is and allows, for anybody who asks."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from fechatter import __version__
from fechatter.api.bodies import BODY_BYTES
from fechatter.api.identity import services
from fechatter.api.paging import MOST_ITEMS
from fechatter.api.responses import json_response
from fechatter.auth import passwords

API_LEVEL = 1
FEATURES = ["sse"]
LIMITS = {
    "message_characters": 4000,
    "body_bytes": BODY_BYTES,
    "batch_messages": 100,
    "batch_bytes": 6 * 1024 * 1024,
    "page_items": MOST_ITEMS,
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
            "signup": settings.signup,
            "name": settings.name,
        }
    )
