"""A page of history is that of the reference, and damaged rows are refused."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fechatter import native
from fechatter.messages import history
from fechatter.messages.history import PagePlace
from tests.native import page_reference
from tests.native.bodies import TRICKY
from tests.native.page_reference import Packed

FIRST_MS, LAST_MS = -62_135_596_800_000, 253_402_300_799_999
"""The times that Python's datetime supports."""

ids = st.integers(1, 2**53 - 1)
times = st.integers(0, LAST_MS)
contents = st.text(st.sampled_from(TRICKY) | st.characters(exclude_categories=["Cs"]), max_size=60)
extras = st.none() | st.sampled_from(['{"mood":"calm"}', '{"a":"\\u0001]["}', '{"name":"é"}'])
limits = st.integers(1, 6)
places = (
    st.builds(history.latest, limits)
    | st.builds(history.before, st.integers(0, 14), limits)
    | st.builds(history.after, st.integers(0, 14), limits)
    | st.builds(history.around, st.integers(0, 14), limits)
)


@st.composite
def packed_rows(draw: st.DrawFn) -> list[Packed]:
    numbers = draw(st.permutations(range(1, draw(st.integers(0, 12)) + 1)))
    optional = st.none() | times
    kinds = (ids, st.nothing(), ids, ids, times, optional, optional, contents, extras)
    return [
        (draw(kinds[0]), number, *(draw(kind) for kind in kinds[2:]))  # type: ignore[misc]
        for number in numbers
    ]


@given(packed_rows(), ids, places, st.sampled_from(["", "null"]))
def test_a_page_is_that_of_the_reference(rows: list[Packed], chat_id: int, place: PagePlace, null: str) -> None:
    packed = page_reference.pack(rows, null)
    page, count = native.encode_page(packed, chat_id, place.split, place.older, place.newer)
    assert page == page_reference.encode_page(rows, chat_id, place)
    assert count == len(rows)


@given(st.integers(FIRST_MS, LAST_MS))
@example(FIRST_MS)
@example(LAST_MS)
@example(951_782_400_000)
def test_a_timestamp_is_that_of_the_reference(milliseconds: int) -> None:
    assert native.timestamp(milliseconds) == page_reference.timestamp(milliseconds)


@pytest.mark.parametrize("milliseconds", [LAST_MS + 1, -(2**63), 2**63 - 1])
def test_a_timestamp_has_a_year_of_four_digits(milliseconds: int) -> None:
    with pytest.raises(ValueError, match="four digits"):
        native.timestamp(milliseconds)


ROW: Packed = (1, 1, 1, 1, 0, None, None, "é]", '{"a":1}')


@given(st.binary(max_size=80) | st.text("[],0123456789null:é", max_size=40).map(str.encode))
def test_no_input_crashes_the_encoder(packed: bytes) -> None:
    try:
        page, _ = native.encode_page(packed, 1, 2, 1, 1)
    except ValueError:
        return
    assert page.startswith(b'{"items":[')


@pytest.mark.parametrize("cut", range(1, len(page_reference.pack([ROW]))))
def test_a_row_that_is_not_whole_is_refused(cut: int) -> None:
    with pytest.raises(ValueError, match="damaged"):
        native.encode_page(page_reference.pack([ROW])[:-cut], 1, 2, 1, 1)


def test_a_time_beyond_the_range_is_refused() -> None:
    rows = [(*ROW[:4], LAST_MS + 1, *ROW[5:])]
    with pytest.raises(ValueError, match="damaged"):
        native.encode_page(page_reference.pack(rows), 1, 2, 1, 1)  # type: ignore[arg-type]
