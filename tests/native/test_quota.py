"""For any sequence of calls, the extension's meter and quota count as the reference does."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fechatter import native
from tests.auth.clock import Clock
from tests.native import rate_reference

keys = st.integers(0, 6) | st.sampled_from(["192.0.2.1", "", "2001:db8::/64", "é", b"digest", b"", -1, 2**53])
pauses = st.just(0.0) | st.floats(0, 30) | st.integers(0, 100).map(float)
counts = st.integers(0, 200) | st.floats(0, 200)
calls = st.tuples(st.sampled_from(["take", "take", "take", "used", "give_back", "forget"])) | st.tuples(
    st.just("charge"), counts
)


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 5), st.floats(1e-3, 30), st.integers(1, 6), st.lists(st.tuples(pauses, keys, calls), max_size=60))
def test_a_meter_counts_as_the_reference_does(
    burst: int, every_seconds: float, max_keys: int, steps: list[tuple[float, Any, tuple[Any, ...]]]
) -> None:
    clock = Clock()
    meter = native.Meter(burst, every_seconds, 2 * max_keys, clock)
    expected = rate_reference.Meter(burst, every_seconds, 2 * max_keys, clock)
    assert meter.window == expected.window
    for pause, key, (name, *arguments) in steps:
        # Keys with equal times may be dropped in any order, so no two are equal.
        clock.now += pause + 1e-6
        assert getattr(meter, name)(key, *arguments) == getattr(expected, name)(key, *arguments)
        assert len(meter) == len(expected)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 200_000), st.lists(st.tuples(pauses, keys, st.none() | counts), max_size=40))
def test_a_quota_has_the_headers_of_the_reference(per_minute: int, steps: list[tuple[float, Any, Any]]) -> None:
    clock = Clock()
    quota = native.Quota("messages", per_minute, clock)
    expected = rate_reference.Quota("messages", per_minute, clock)
    for pause, key, count in steps:
        clock.now += pause
        if count is None:
            assert quota.take(key) == expected.take(key)
        else:
            assert quota.charge(key, count) == expected.charge(key, count)


def test_a_key_is_a_number_a_text_or_bytes() -> None:
    meter = native.Meter(1, 10.0)
    assert [meter.take(key) for key in (1, "1", b"1", "\ud800")] == [0.0] * 4
    assert meter.take(1) > 9.0
    for key in (None, 1.5, (1,)):
        with pytest.raises(TypeError):
            meter.take(key)  # type: ignore[arg-type]
    with pytest.raises(OverflowError):
        meter.take(2**70)


def test_an_error_of_the_clock_is_raised() -> None:
    def broken() -> float:
        raise RuntimeError("no time")

    with pytest.raises(RuntimeError, match="no time"):
        native.Meter(1, 10.0, clock=broken).take(1)
    with pytest.raises(ValueError):
        native.Quota("messages", 0)
