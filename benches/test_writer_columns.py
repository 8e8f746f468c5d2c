"""Deciding and numbering a batch: plain dictionaries against numpy over the same columns.

A batch has at most 256 rows. At this size, numpy's fixed cost is higher than the whole work, so the engines use
dictionaries.
"""

import random

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from fechatter.storage.engines.postgres_batch import _places_in_chat

SIZES = [16, 64, 256, 1024]


def numpy_places(chat_ids: np.ndarray) -> list[int]:
    """1, 2, 3 … within each chat, in the rows' order."""
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
    assert benchmark(_places_in_chat, columns(size)) == numpy_places(np.array(columns(size)))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.benchmark(group="number a batch within its chats")
def test_numbering_with_numpy(benchmark: BenchmarkFixture, size: int) -> None:
    assert benchmark(numpy_places, np.array(columns(size))) == _places_in_chat(columns(size))
