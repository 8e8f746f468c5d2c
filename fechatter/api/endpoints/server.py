"""The version and the limits of this server."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fechatter import __version__
from fechatter.api.bodies import BODY_BYTES
from fechatter.api.endpoints.batches import BATCH_BYTES
from fechatter.api.identity import services
from fechatter.api.operations import Answer, operation
from fechatter.api.paging import MAX_ITEMS
from fechatter.api.responses import json_response
from fechatter.auth import passwords
from fechatter.chats.names import DESCRIPTION_CHARACTERS, NAME_CHARACTERS
from fechatter.chats.people import MEMBERS_PER_REQUEST
from fechatter.native import MAX_BATCH_MESSAGES, MAX_CONTENT_CHARACTERS, MAX_KEY_CHARACTERS
from fechatter.storage.server import is_set_up

API_LEVEL = 1
FEATURES = ["sse"]


class Limits(msgspec.Struct, frozen=True):
    """The limits for values in requests."""

    message_characters: int = MAX_CONTENT_CHARACTERS
    idempotency_key_characters: int = MAX_KEY_CHARACTERS
    body_bytes: int = BODY_BYTES
    batch_messages: int = MAX_BATCH_MESSAGES
    batch_bytes: int = BATCH_BYTES
    page_items: int = MAX_ITEMS
    chat_name_characters: int = NAME_CHARACTERS
    chat_description_characters: int = DESCRIPTION_CHARACTERS
    chat_members_per_request: int = MEMBERS_PER_REQUEST
    password_characters_least: int = passwords.MIN_CHARACTERS
    password_characters_most: int = passwords.MAX_CHARACTERS


class Server(msgspec.Struct, frozen=True):
    """This server. As long as `api_level` stays the same, changes to the API only add to it."""

    version: Annotated[str, msgspec.Meta(examples=[__version__])]
    api_level: Annotated[int, msgspec.Meta(examples=[API_LEVEL])]
    features: Annotated[list[str], msgspec.Meta(examples=[FEATURES])]
    limits: Limits
    set_up: Annotated[bool, msgspec.Meta(description="Whether the server has a workspace.", examples=[True])]
    signup: Annotated[Literal["invitation", "open"], msgspec.Meta(description="Who may create a new workspace.")]
    name: Annotated[str, msgspec.Meta(examples=["Fechatter"])]


@operation("showServer", Answer(Server))
async def show(request: Request) -> Response:
    """Show the version and the limits of this server"""
    settings = services(request).settings
    set_up = await services(request).database.read(is_set_up)
    return json_response(Server(__version__, API_LEVEL, FEATURES, Limits(), set_up, settings.signup, settings.name))
