"""Deciding on the rows of a batch: plain dictionaries against numpy over the same columns.

Results and conclusions: docs/decisions/native-code.md.
"""

import random

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from fechatter.messages import groups
from fechatter.native import Intake, MessageBatch
from fechatter.storage.engines.postgres_batch import _places_in_timeline

SIZES = [16, 64, 256, 1024]
REQUEST_ROWS, PEOPLE = 100, 64


def numpy_places(chat_ids: np.ndarray) -> list[int]:
    """Return 1, 2, 3 … within each chat, in the order of the rows."""
    _, inverse, counts = np.unique(chat_ids, return_inverse=True, return_counts=True)
    order = np.argsort(inverse, kind="stable")
    starts = np.concatenate(([0], np.cumsum(counts)[:-1]))
    places = np.empty(len(chat_ids), np.int64)
    places[order] = np.arange(len(chat_ids)) - np.repeat(starts, counts) + 1
    return places.tolist()


def columns(size: int) -> list[int]:
    random.seed(size)
    return [random.randrange(1000) for _ in range(size)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.benchmark(group="number a batch within its chats")
def test_numbering_with_dictionaries(benchmark: BenchmarkFixture, size: int) -> None:
    assert benchmark(_places_in_timeline, columns(size)) == numpy_places(np.array(columns(size)))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.benchmark(group="number a batch within its chats")
def test_numbering_with_numpy(benchmark: BenchmarkFixture, size: int) -> None:
    assert benchmark(numpy_places, np.array(columns(size))) == _places_in_timeline(columns(size))


def make_batch(kind: str, size: int) -> MessageBatch:
    """Return a batch from requests of 100 messages, or from many people who send at once."""
    intake = Intake()
    for row in range(size):
        session_id = row // REQUEST_ROWS if kind == "requests" else row % PEOPLE
        intake.push(b'{"content":"a"}', None, session_id % 20, session_id, session_id, None)
    batch = intake.take()
    assert batch is not None
    return batch


@pytest.mark.parametrize("kind", ["requests", "people"])
@pytest.mark.parametrize("size", [100, 256])
@pytest.mark.parametrize("way", ["dictionaries", "numpy"])
def test_grouping(benchmark: BenchmarkFixture, monkeypatch: pytest.MonkeyPatch, way: str, size: int, kind: str) -> None:
    benchmark.group = f"group {size} rows of {kind}"
    monkeypatch.setattr(groups, "NUMPY_ROWS", 1 if way == "numpy" else size + 1)
    batch, rows = make_batch(kind, size), list(range(size))
    origins = [column.tolist() for column in (batch.session_ids, batch.chat_ids, batch.sender_ids)]
    found = benchmark(groups.group_rows, batch, origins, rows)
    assert sorted(row for group in found for row in group) == rows
