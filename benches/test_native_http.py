"""Request ids and error responses: the extension against plain Python."""

from collections.abc import Callable, Iterator

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from fechatter import native
from fechatter.model import encode
from tests.native import http_reference

DATA: dict[str, object] = {"limit_bytes": 65536}
BODIES: dict[str, Callable[..., bytes]] = {
    "native": lambda *words: native.problem_body(*words, encode(DATA)[1:-1]),
    "python": lambda *words: http_reference.problem_body(*words, DATA),
}
IDS: dict[str, Callable[[], Iterator[str]]] = {"native": native.RequestIds, "python": http_reference.request_ids}
CHECKS = {"native": native.is_request_id, "python": http_reference.is_request_id}


@pytest.mark.parametrize("way", IDS)
def test_next_request_id(benchmark: BenchmarkFixture, way: str) -> None:
    benchmark.group = "next request id"
    ids = IDS[way]()
    assert len(benchmark(lambda: next(ids))) == 16


@pytest.mark.parametrize("way", CHECKS)
def test_check_a_request_id(benchmark: BenchmarkFixture, way: str) -> None:
    benchmark.group = "check a request id"
    assert benchmark(CHECKS[way], b"0192f0c1-2345-7abc-8def-0123456789ab")


@pytest.mark.parametrize("way", BODIES)
def test_problem_body(benchmark: BenchmarkFixture, way: str) -> None:
    benchmark.group = "body of a problem"
    words = (413, "Body too large", "body_too_large", "At most 65536 bytes.", "9e3779b97f4a7c15")
    assert benchmark(BODIES[way], *words).endswith(b'"limit_bytes":65536}')
