"""Lists: `?limit=` and `?cursor=` in, `{"items", "next"}` out, ordered by id so that paging is stable."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar

import msgspec

from fechatter.api.queries import Query
from fechatter.errors import Invalid
from fechatter.model import MAX_ID

DEFAULT_ITEMS = 50
MOST_ITEMS = 100

T = TypeVar("T")


class Page(Query, frozen=True):
    """What part of a list is asked for. Raises Invalid: a cursor that this server did not give."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_ITEMS, description="How many items at most.")] = DEFAULT_ITEMS
    cursor: Annotated[str, msgspec.Meta(description="The `next` of the page before; opaque.", examples=["YWZ0ZXI6Mg"])] | None = None

    def __post_init__(self) -> None:
        decode_cursor(self.cursor)

    @property
    def after(self) -> int:
        """The page holds items with ids above this; 0 for the first page."""
        return decode_cursor(self.cursor)


class Items(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list, ordered by id."""

    items: Sequence[T]
    next: Annotated[
        str | None, msgspec.Meta(description="The `cursor` of the page after this one; null on the last.", examples=["YWZ0ZXI6Mg"])
    ]


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


def decode_cursor(cursor: str | None) -> int:
    """The id after which a page goes on. Raises Invalid."""
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
