"""A batch: encoding against orjson, and columns for numpy against lists of Python integers."""

import numpy as np
import orjson
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from fechatter.native import Intake, MessageBatch
from tests.native import reference

CREATED_AT = "2026-01-02T03:04:05.678Z"
CONTENT = "Shall we meet at noon, then? " * 7
KEY = "0192f0c1-2345-7abc-8def-0123456789ab"
SIZES = [1, 32, 256]


def make_batch(size: int) -> MessageBatch:
    """Return a batch of `size` messages of 200 bytes."""
    intake = Intake()
    body = orjson.dumps({"content": CONTENT, "idempotency_key": KEY})
    for row in range(size):
        intake.push(body, None, row % 20, row, row, row)
    batch = intake.take()
    assert batch is not None
    return batch


@pytest.mark.parametrize("size", SIZES)
def test_encode_native(benchmark: BenchmarkFixture, size: int) -> None:
    benchmark.group = f"encode {size}"
    batch, numbers, workspaces = make_batch(size), list(range(size)), [1] * size
    answers, frames = benchmark(batch.encode, numbers, numbers, numbers, numbers, workspaces, CREATED_AT, "epoch")
    assert list(zip(answers, frames, strict=True)) == encode_in_python(size)


@pytest.mark.parametrize("size", SIZES)
def test_encode_python(benchmark: BenchmarkFixture, size: int) -> None:
    benchmark.group = f"encode {size}"
    assert len(benchmark(encode_in_python, size)) == size


def encode_in_python(size: int) -> list[tuple[bytes, bytes]]:
    """Encode the answers and frames of the batch with dictionaries and orjson."""
    message = (CONTENT, KEY, None)
    return [reference.encode(row % 20, row, message, (row, row, row, 1), CREATED_AT, "epoch") for row in range(size)]


@pytest.mark.parametrize("size", SIZES)
def test_column_to_numpy_without_a_copy(benchmark: BenchmarkFixture, size: int) -> None:
    benchmark.group = f"column to numpy {size}"
    batch = make_batch(size)
    assert benchmark(lambda: np.asarray(batch.chat_ids)).tolist() == [row % 20 for row in range(size)]


@pytest.mark.parametrize("size", SIZES)
def test_column_to_numpy_from_a_list(benchmark: BenchmarkFixture, size: int) -> None:
    benchmark.group = f"column to numpy {size}"
    values = [row % 20 for row in range(size)]
    assert benchmark(lambda: np.array(values, dtype=np.int64)).tolist() == values


@pytest.mark.parametrize("size", SIZES)
def test_contents_as_a_list(benchmark: BenchmarkFixture, size: int) -> None:
    benchmark.group = f"contents {size}"
    assert benchmark(make_batch(size).contents) == [CONTENT] * size
