"""Counting requests: the extension against plain Python."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from fechatter import native
from tests.native import rate_reference

KEYS = {"a person": 4711, "an address": "192.0.2.1"}
MOST = 10**9
QUOTAS: dict[str, Callable[[], Any]] = {
    "native": lambda: native.Quota("requests", MOST),
    "python": lambda: rate_reference.Quota("requests", MOST, time.monotonic),
}
METERS: dict[str, Callable[[], Any]] = {
    "native": lambda: native.Meter(MOST, 1e-9),
    "python": lambda: rate_reference.Meter(MOST, 1e-9, native.MAX_RATE_KEYS, time.monotonic),
}


@pytest.mark.parametrize("way", QUOTAS)
@pytest.mark.parametrize("key", KEYS)
def test_take_from_a_quota(benchmark: BenchmarkFixture, key: str, way: str) -> None:
    benchmark.group = f"count a request of {key}"
    headers = benchmark(QUOTAS[way]().take, KEYS[key])
    assert [name for name, _ in headers] == [b"ratelimit-policy", b"ratelimit"]


@pytest.mark.parametrize("way", METERS)
def test_charge_a_meter(benchmark: BenchmarkFixture, way: str) -> None:
    benchmark.group = "charge work"
    assert benchmark(METERS[way]().charge, 4711, 0.0) == 0.0


@pytest.mark.parametrize("way", METERS)
def test_a_flood_of_new_keys(benchmark: BenchmarkFixture, way: str) -> None:
    """Take 1,000 new keys per round from a full table."""
    benchmark.group = "1,000 new keys"
    meter, numbers = METERS[way](), iter(range(10**9))

    def flood() -> None:
        for _ in range(1000):
            meter.charge(next(numbers), 1e12)

    for _ in range(66):
        flood()
    benchmark(flood)
    assert len(meter) <= native.MAX_RATE_KEYS
