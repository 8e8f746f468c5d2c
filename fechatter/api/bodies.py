"""Request bodies: turns their bytes into a checked struct, or into a refusal that names the place of the error.

A body type is a msgspec Struct that inherits `Body`, so unknown fields are refused. Types are strict: "1" is no number.
Ids have the type `Id`. The package that uses a text that people typed also checks it (`accounts/texts.py`).
"""

from __future__ import annotations

import re
from typing import Annotated, TypeVar, cast

import msgspec
from starlette.requests import Request

from fechatter.api import sharing
from fechatter.api.receiving import BodyReader, check_length
from fechatter.auth.body_memory import HeldBody
from fechatter.errors import FieldError, Invalid, MalformedRequest, UnsupportedMediaType
from fechatter.model import MAX_ID

BODY_BYTES = 64 * 1024

Id = Annotated[int, msgspec.Meta(ge=1, le=MAX_ID)]

_PLACE = re.compile(r"^(?P<detail>.*?)(?: - at `(?P<path>\$.*)`)?$", re.DOTALL)
_FIELD = re.compile(r"(?P<what>missing required|contains unknown) field `(?P<name>.*)`", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")


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
        Unavailable: the memory for bodies is full, and this body had to make room.
    """
    share, reader = sharing.of(request), cast(BodyReader, request.scope["app"].bodies)
    check_length(request.headers.get("content-length", "").encode(), limit)
    if held is not None or share is None:
        return await reader.finish(request.receive, limit, share, held)
    with share.body() as own:
        return await reader.finish(request.receive, limit, share, own)


def decode(body: bytes, kind: type[T]) -> T:
    """Decode JSON as a `kind`. Raises MalformedRequest, Invalid."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise Invalid([field_error(str(error))]) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedRequest("The body is not JSON in UTF-8.") from error


def field_error(message: str) -> FieldError:
    """Turn msgspec's error message into a pointer (RFC 6901), a stable code and a sentence."""
    place = _PLACE.match(message)
    assert place is not None  # the pattern matches every text
    detail, pointer = place["detail"], json_pointer(place["path"] or "$")
    field = _FIELD.search(detail)
    if field is None:
        return FieldError(pointer, _code(detail), detail)
    code = "missing" if field["what"] == "missing required" else "unknown_field"
    return FieldError(pointer + _escaped(field["name"]), code, detail)


def json_pointer(path: str) -> str:
    """`$.members[0]` -> `/members/0`."""
    return "".join(_escaped(name or index) for name, index in _STEP.findall(path))


def _escaped(step: str) -> str:
    return "/" + step.replace("~", "~0").replace("/", "~1")


def _code(detail: str) -> str:
    if " of length <= " in detail:
        return "too_long"
    if " of length >= " in detail:
        return "too_short"
    if "out of range" in detail or re.search(r"Expected `(int|float)` [<>]", detail):
        return "out_of_range"
    return "invalid_value" if "nvalid enum value" in detail else "invalid_type"
