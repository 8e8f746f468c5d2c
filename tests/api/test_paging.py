from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request

from fechatter.api.paging import Page, encode_cursor, page_of, read_page
from fechatter.errors import Invalid


def asked(query: str) -> Request:
    return Request({"type": "http", "query_string": query.encode(), "headers": []})


def test_the_next_of_a_page_is_the_cursor_of_the_one_after() -> None:
    rows: list[dict[str, Any]] = [{"id": number} for number in range(1, 4)]
    first = page_of(rows, Page(2, 0))
    assert first.items == rows[:2]
    assert read_page(asked(f"limit=2&cursor={first.next}")) == Page(2, 2)
    assert page_of(rows[2:], Page(2, 2)).next is None


BAD = [
    *("limit=0", "limit=101", "limit=x", "limit=", "limit=1.0", "limit=%D9%A1", "limit=0x1", "limt=5"),
    *("cursor=", "cursor=abc", "cursor=%00", "cursor=YWZ0ZXI6", "cursor=%C3%A9", "cursor=" + "A" * 5000),
    f"cursor={encode_cursor(2**53)}",
]


@pytest.mark.parametrize("query", BAD)
def test_bad_values_are_refused_never_replaced(query: str) -> None:
    with pytest.raises(Invalid):
        read_page(asked(query))


def test_a_list_knows_its_own_parameters_and_no_others() -> None:
    assert read_page(asked("q=x"), "q") == Page(50, 0)
    with pytest.raises(Invalid):
        read_page(asked("q=x"))
