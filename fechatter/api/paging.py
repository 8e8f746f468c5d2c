"""Lists: the request has `?limit=` and `?cursor=`, the response `{"items", "next"}`. Lists are ordered by id, so paging
is stable."""

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
MAX_ITEMS = 100

T = TypeVar("T")


class Page(Query, frozen=True):
    """The requested part of a list. Raises Invalid: the cursor is not one of this server."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_ITEMS, description="Maximum number of items.")] = DEFAULT_ITEMS
    cursor: (
        Annotated[str, msgspec.Meta(description="The `next` of the previous page; opaque.", examples=["YWZ0ZXI6Mg"])]
        | None
    ) = None

    def __post_init__(self) -> None:
        decode_cursor(self.cursor)

    @property
    def after(self) -> int:
        """The id after which the page begins; 0 for the first page."""
        return decode_cursor(self.cursor)


class Items(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list, ordered by id."""

    items: Sequence[T]
    next: Annotated[
        str | None,
        msgspec.Meta(description="The `cursor` of the next page; null on the last page.", examples=["YWZ0ZXI6Mg"]),
    ]


def page_of(rows: Sequence[T], page: Page, *, key: str = "id") -> Items[T]:
    """Make a page from up to `page.limit + 1` items. `key` is the attribute by which they are ordered."""
    if len(rows) <= page.limit:
        return Items(rows, None)
    shown = rows[: page.limit]
    return Items(shown, encode_cursor(_key_of(shown[-1], key)))


def _key_of(item: Any, key: str) -> int:
    return int(item[key] if isinstance(item, dict) else getattr(item, key))


def encode_cursor(last_id: int) -> str:
    """Return the `next` for the page after `last_id`. Clients treat it as opaque."""
    return base64.urlsafe_b64encode(b"after:%d" % last_id).decode().rstrip("=")


def decode_cursor(cursor: str | None) -> int:
    """Return the id after which a page begins. Raises Invalid."""
    if cursor is None:
        return 0
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        text = b""
    name, _, number = text.partition(b":")
    if name != b"after" or not number.isdigit() or len(number) > 16 or int(number) > MAX_ID:
        raise Invalid.field("?cursor", "invalid_cursor", "Use the `next` of the previous page.")
    return int(number)
