"""The meter behind every rate limit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fechatter.auth.rates import Limit, Meter
from tests.auth.clock import Clock

LIMIT = Limit("test", 3, 10.0)


def test_a_burst_is_allowed_and_then_one_attempt_per_interval() -> None:
    clock = Clock()
    meter = Meter(LIMIT, clock)
    assert [meter.take(b"a") for _ in range(4)] == [0.0, 0.0, 0.0, 10.0]
    assert meter.take(b"b") == 0.0
    clock.now += 9.0
    assert meter.take(b"a") == 1.0
    clock.now += 1.0
    assert [meter.take(b"a"), meter.take(b"a")] == [0.0, 10.0]


def test_an_attempt_that_is_removed_does_not_count() -> None:
    meter = Meter(LIMIT, Clock())
    for _ in range(50):
        assert meter.take(b"a") == 0.0
        meter.give_back(b"a")
    assert len(meter) == 0
    meter.give_back(b"nobody")
    assert [meter.take(b"a") for _ in range(3)] == [0.0] * 3
    meter.give_back(b"a")
    assert [meter.take(b"a"), meter.take(b"a")] == [0.0, 10.0]
    meter.forget(b"a")
    assert meter.take(b"a") == 0.0


@given(st.lists(st.floats(0, 30), max_size=60))
def test_no_window_contains_more_attempts_than_the_limit(pauses: list[float]) -> None:
    clock = Clock()
    meter, passed = Meter(LIMIT, clock), []
    for pause in pauses:
        clock.now += pause
        if meter.take(b"a") == 0.0:
            passed.append(clock.now)
    for first, last in zip(passed, passed[LIMIT.burst :], strict=False):
        assert last - first >= LIMIT.every_seconds - 1e-6


def test_a_flood_of_keys_stays_bounded_and_keeps_the_keys_with_most_attempts() -> None:
    clock = Clock()
    meter = Meter(LIMIT, clock, max_keys=100)
    for _ in range(3):
        meter.take(b"guesser")
    for number in range(10_000):
        meter.take(b"%d" % number)
        assert len(meter) <= 100
    assert meter.take(b"guesser") == 10.0
    clock.now += 3600.0
    meter.take(b"later")
    meter.take(b"guesser")
    assert len(meter) <= 100
