"""Lists: `?limit=` and `?cursor=` in, `{"items", "next"}` out, ordered by id so that paging is stable."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import msgspec
from starlette.requests import Request

from fechatter.errors import Invalid
from fechatter.model import MAX_ID

DEFAULT_ITEMS = 50
MOST_ITEMS = 100

T = TypeVar("T")


class Page(msgspec.Struct, frozen=True):
    """What part of a list is asked for: at most `limit` items with ids above `after` (0: from the start)."""

    limit: int
    after: int


class Items(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list; `next` is the cursor of the page after it, or None."""

    items: Sequence[T]
    next: str | None


def read_page(request: Request, *filters: str) -> Page:
    """The page asked for; `filters` are the names of the list's other parameters.

    Raises:
        Invalid: a bad value or an unknown parameter.
    """
    query = request.query_params
    for name in query:
        if name not in ("limit", "cursor", *filters):
            raise Invalid.field(f"?{name}", "unknown_parameter", "There is no such parameter here.")
    return Page(_limit(query.get("limit")), _after(query.get("cursor")))


def page_of(rows: Sequence[T], page: Page, *, key: str = "id") -> Items[T]:
    """The answer, from up to `page.limit + 1` items read in order; `key` names the attribute they are ordered by."""
    if len(rows) <= page.limit:
        return Items(rows, None)
    shown = rows[: page.limit]
    return Items(shown, encode_cursor(_key_of(shown[-1], key)))


def _key_of(item: Any, key: str) -> int:
    return int(item[key] if isinstance(item, dict) else getattr(item, key))


def encode_cursor(last_id: int) -> str:
    """The `next` that goes on after `last_id`; only this server reads it."""
    return base64.urlsafe_b64encode(b"after:%d" % last_id).decode().rstrip("=")


def _after(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        text = b""
    name, _, number = text.partition(b":")
    if name != b"after" or not number.isdigit() or len(number) > 16 or int(number) > MAX_ID:
        raise Invalid.field("?cursor", "invalid_cursor", "Only the `next` of the page before is a cursor.")
    return int(number)


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_ITEMS
    if not (text.isascii() and text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= MOST_ITEMS):
        raise Invalid.field("?limit", "out_of_range", f"A whole number from 1 to {MOST_ITEMS}.")
    return int(text)
