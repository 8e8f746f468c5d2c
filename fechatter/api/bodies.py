"""Request bodies: bytes in, a checked struct out, or a refusal that names the place.

A body type is a msgspec Struct that inherits `Body`, so that unknown fields are refused; types are strict (no "1" for
1). Whole numbers that are ids have the type `Id`; texts that people type are checked by the room they go to
(`accounts/texts.py`).
"""

from __future__ import annotations

import asyncio
import re
import time
from typing import Annotated, TypeVar, cast

import msgspec
from starlette.requests import Request
from starlette.types import Message, Receive

from fechatter.api import sharing
from fechatter.auth.body_memory import HeldBody, refusal
from fechatter.auth.pace import KIB_ROWS
from fechatter.errors import BodyTimeout, FieldError, Invalid, MalformedRequest, TooLarge, UnsupportedMediaType
from fechatter.model import MAX_ID

BODY_BYTES = 64 * 1024
PART_SECONDS = 10.0
"""How long a body may stand still."""
BODY_SECONDS = 30.0
"""How long a body may take as a whole."""

Id = Annotated[int, msgspec.Meta(ge=1, le=MAX_ID)]

_PLACE = re.compile(r"^(?P<detail>.*?)(?: - at `(?P<path>\$.*)`)?$", re.DOTALL)
_FIELD = re.compile(r"(?P<what>missing required|contains unknown) field `(?P<name>.*)`", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")


class Body(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What a request's body may hold."""


T = TypeVar("T")


async def read_body(request: Request, kind: type[T], limit: int = BODY_BYTES) -> T:
    """The request's JSON body as a `kind`, of at most `limit` bytes.

    Raises:
        UnsupportedMediaType: a Content-Type is given and is not JSON.
        TooLarge: more than `limit` bytes.
        BodyTimeout: it does not come in time.
        MalformedRequest: not JSON in UTF-8.
        Invalid: JSON of another shape.
    """
    check_json(request)
    return decode(await read_bytes(request, limit), kind)


def check_json(request: Request) -> None:
    """Raises UnsupportedMediaType when a Content-Type is given and is not JSON."""
    for name, value in request.scope["headers"]:
        if name == b"content-type":
            check_media_type(value)


def check_media_type(value: bytes) -> None:
    """Raises UnsupportedMediaType when a Content-Type is not JSON."""
    if value != b"application/json" and value.partition(b";")[0].strip().lower() != b"application/json":
        raise UnsupportedMediaType("The body must be application/json.")


def check_length(value: bytes, limit: int) -> None:
    """Refuse by the Content-Length, before anything is read. Raises TooLarge."""
    if value.isdigit() and int(value[:20]) > limit:
        raise _too_large(limit)


def check_size(body: bytes | bytearray, limit: int) -> None:
    """Raises TooLarge."""
    if len(body) > limit:
        raise _too_large(limit)


async def read_bytes(request: Request, limit: int, held: HeldBody | None = None) -> bytes:
    """Read the whole body, at most `limit` bytes; `held` accounts for their memory.

    Raises:
        TooLarge, BodyTimeout.
        Unavailable: the memory for bodies is full, and this one had to make room.
    """
    if held is None and (share := sharing.of(request)) is not None:
        with share.body() as own:
            return await read_bytes(request, limit, own)
    check_length(request.headers.get("content-length", "").encode(), limit)
    now = asyncio.get_running_loop().time
    last = now() + BODY_SECONDS
    parts = bytearray()
    try:
        async with asyncio.timeout(PART_SECONDS) as patience:
            if held is not None:
                held.give_up = lambda: patience.reschedule(0)
            async for part in request.stream():
                parts += part
                check_size(parts, limit)
                patience.reschedule(None)
                last += await _take_in(request, len(part), held)
                patience.reschedule(min(now() + PART_SECONDS, last))
    except TimeoutError:
        raise refusal() if held is not None and held.given_up else BodyTimeout from None
    finally:
        if held is not None:
            held.give_up = None
    return bytes(parts)


async def _take_in(request: Request, size: int, held: HeldBody | None) -> float:
    """Charge a part of a body, and delay heavy senders; returns the seconds waited. Raises Unavailable."""
    share = sharing.of(request)
    if held is None or share is None:
        return 0.0
    held.grow(size)
    share.count(size / sharing.KIB * KIB_ROWS)
    began = time.monotonic()
    await share.wait()
    return time.monotonic() - began


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body may have {limit} bytes.", limit_bytes=limit)


def decode(body: bytes, kind: type[T]) -> T:
    """JSON as a `kind`. Raises MalformedRequest, Invalid."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise Invalid([field_error(str(error))]) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedRequest("The body is not JSON in UTF-8.") from error


def field_error(message: str) -> FieldError:
    """What msgspec's words say, as pointer (RFC 6901), stable code and sentence."""
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


class Patience:
    """Gives up on bodies that stand still, at next to no cost for those that do not: one timer for all of them."""

    def __init__(self) -> None:
        self._since: dict[asyncio.Task[object], float] = {}
        self._late: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None
        # Asking for the running loop is a system call each time (getpid), and this is the hottest place there is.
        self._loop: asyncio.AbstractEventLoop | None = None

    async def wait(self, receive: Receive) -> Message:
        """The next part of a body. Raises BodyTimeout after about PART_SECONDS."""
        loop = self._loop = self._loop or asyncio.get_running_loop()
        task = cast("asyncio.Task[object]", asyncio.current_task(loop))
        self._since[task] = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(PART_SECONDS, self._sweep, loop)
        try:
            return await receive()
        except asyncio.CancelledError:
            if task not in self._late:
                raise
            task.uncancel()
            raise BodyTimeout from None
        finally:
            del self._since[task]
            self._late.discard(task)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        oldest = loop.time() - PART_SECONDS
        for task, since in self._since.items():
            if since <= oldest and task not in self._late:
                self._late.add(task)
                task.cancel()
        self._timer = loop.call_later(PART_SECONDS / 4, self._sweep, loop) if self._since else None
