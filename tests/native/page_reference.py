"""`encode_page` in plain Python: reference of the property tests and baseline of the benches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import msgspec

from fechatter.messages.history import MessagePage, PagePlace
from fechatter.model import Extras, Message

Packed = tuple[int, int, int, int, int, int | None, int | None, str, str | None]
"""id, number, sender, revision, created, edited, deleted, content, extras."""


def pack(rows: Sequence[Packed], null: str = "null") -> bytes:
    """Pack rows as a database does."""
    return b"".join(_packed(row, null) for row in rows)


def _packed(row: Packed, null: str) -> bytes:
    content, extras = row[7].encode(), row[8]
    sizes = (len(content), None if extras is None else len(extras.encode()))
    head = ",".join(null if value is None else str(value) for value in (*row[:7], *sizes))
    return b"[%b]%b%b" % (head.encode(), content, (extras or "").encode())


def encode_page(rows: Sequence[Packed], chat_id: int, place: PagePlace) -> bytes:
    """Return the page of `rows` as JSON."""
    ordered = sorted(rows, key=lambda row: row[1])
    older = [row for row in ordered if row[1] < place.split][::-1]
    newer = [row for row in ordered if row[1] >= place.split]
    limit = max(place.older, place.newer)
    newer_count = min(len(newer), place.newer, max(limit // 2, limit - min(len(older), place.older)))
    older_count = min(len(older), place.older, limit - newer_count)
    shown = newer[:newer_count][::-1] + older[:older_count]
    items = [message(row, chat_id) for row in shown]
    return msgspec.json.encode(MessagePage(items, len(older) > older_count, len(newer) > newer_count))


def message(row: Packed, chat_id: int) -> Message:
    extras = msgspec.UNSET if row[8] is None else cast(Extras, msgspec.Raw(row[8].encode()))
    times: list[Any] = [None if at is None else timestamp(at) for at in row[4:7]]
    return Message(row[0], chat_id, row[1], row[2], row[7], row[3], *times, extras)  # type: ignore[arg-type]


def timestamp(milliseconds: int) -> str:
    """Return RFC 3339 in UTC with milliseconds."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    return f"{at.isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"
