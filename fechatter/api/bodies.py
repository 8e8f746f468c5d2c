"""Request bodies: turns their bytes into a checked struct, or into a refusal that names the place of the error.

A body type is a msgspec Struct that inherits `Body`, so unknown fields are refused. Types are strict: "1" is not a
number. Ids have the type `Id`. Texts that people type are checked by the package that uses them (`accounts/texts.py`).
"""

from __future__ import annotations

from typing import Annotated, TypeVar, cast

import msgspec
from starlette.requests import Request

from fechatter.api import sharing
from fechatter.api.receiving import BodyReader, check_length
from fechatter.auth.body_memory import HeldBody
from fechatter.errors import UnsupportedMediaType
from fechatter.model import MAX_ID
from fechatter.validation import decode

BODY_BYTES = 64 * 1024

Id = Annotated[int, msgspec.Meta(ge=1, le=MAX_ID)]


class Body(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The fields of a request's body."""


T = TypeVar("T")


async def read_body(request: Request, kind: type[T], limit: int = BODY_BYTES) -> T:
    """Read the request's JSON body, of at most `limit` bytes, as a `kind`.

    Raises:
        UnsupportedMediaType: there is a Content-Type, and it is not JSON.
        TooLarge, BodyTimeout, ClientDisconnect.
        MalformedRequest: the body is not JSON in UTF-8.
        Invalid: the JSON has another shape.
    """
    check_json(request)
    return decode(await read_bytes(request, limit), kind)


def check_json(request: Request) -> None:
    """Raises UnsupportedMediaType: there is a Content-Type, and it is not JSON."""
    for name, value in request.scope["headers"]:
        if name == b"content-type":
            check_media_type(value)


def check_media_type(value: bytes) -> None:
    """Raises UnsupportedMediaType: the Content-Type is not JSON."""
    if value != b"application/json" and value.partition(b";")[0].strip().lower() != b"application/json":
        raise UnsupportedMediaType("The body must be application/json.")


async def read_bytes(request: Request, limit: int, held: HeldBody | None = None) -> bytes:
    """Read the whole body, at most `limit` bytes; `held` accounts for their memory.

    Raises:
        TooLarge, BodyTimeout, ClientDisconnect.
        Unavailable: the memory for bodies is full, and this body was dropped.
    """
    share, reader = sharing.of(request), cast(BodyReader, request.scope["app"].bodies)
    check_length(request.headers.get("content-length", "").encode(), limit)
    if held is not None or share is None:
        return await reader.finish(request.receive, limit, share, held)
    with share.body() as own:
        return await reader.finish(request.receive, limit, share, own)
