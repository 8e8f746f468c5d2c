"""Pages of lists: cursors and query parameters."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request

from fechatter.api.paging import Page, encode_cursor, page_of
from fechatter.api.queries import read_query
from fechatter.errors import Invalid


def asked(query: str) -> Request:
    return Request({"type": "http", "query_string": query.encode(), "headers": []})


def test_the_next_of_a_page_is_the_cursor_of_the_following_page() -> None:
    rows: list[dict[str, Any]] = [{"id": number} for number in range(1, 4)]
    first = page_of(rows, Page(limit=2))
    assert first.items == rows[:2]
    assert read_query(asked(f"limit=2&cursor={first.next}"), Page).after == 2
    assert page_of(rows[2:], Page(limit=2)).next is None


BAD = [
    *("limit=0", "limit=101", "limit=x", "limit=", "limit=1.0", "limit=%D9%A1", "limit=0x1", "limt=5"),
    *(
        "cursor=",
        "cursor=abc",
        "cursor=%00",
        "cursor=YWZ0ZXI6",
        "cursor=%C3%A9",
        "cursor=" + "A" * 5000,
        "limit=2&limit=2",
    ),
    f"cursor={encode_cursor(2**53)}",
]


@pytest.mark.parametrize("query", BAD)
def test_invalid_values_are_refused(query: str) -> None:
    with pytest.raises(Invalid):
        read_query(asked(query), Page)


class Named(Page, frozen=True):
    q: str = ""
    ids: list[int] | None = None


def test_a_list_refuses_unknown_parameters() -> None:
    assert read_query(asked("q=x&ids=7,8"), Named) == Named(q="x", ids=[7, 8])
    for query in ("q=x&more=1", "q=x&q=y", "ids=7,", "ids=7,x"):
        with pytest.raises(Invalid):
            read_query(asked(query), Named)
