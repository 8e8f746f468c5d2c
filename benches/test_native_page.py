"""A page of 50 messages: the encoder against structs and msgspec."""

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from fechatter import native
from fechatter.messages import history
from tests.native import page_reference
from tests.native.page_reference import Packed

LIMIT = 50
ROWS: list[Packed] = [
    (number, number, 7, 1, 1_764_000_000_000 + number * 37, None, None, "Shall we meet at noon, then? " * 7, None)
    for number in range(1, LIMIT + 2)
]
PLACE = history.latest(LIMIT)


@pytest.mark.benchmark(group="page of 50")
def test_page_native(benchmark: BenchmarkFixture) -> None:
    packed = page_reference.pack(ROWS)
    page, _ = benchmark(native.encode_page, packed, 21, PLACE.split, PLACE.older, PLACE.newer)
    assert page == page_reference.encode_page(ROWS, 21, PLACE)


@pytest.mark.benchmark(group="page of 50")
def test_page_python(benchmark: BenchmarkFixture) -> None:
    assert benchmark(page_reference.encode_page, ROWS, 21, PLACE)
