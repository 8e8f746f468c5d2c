"""A taken batch: columns that numpy reads where they lie, and encoding as orjson does it."""

import gc
import io
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fechatter.native import Intake, MessageBatch
from tests.native import bodies, reference

INT64 = st.integers(-(2**63), 2**63 - 1)
CREATED_AT_MS = 1_767_323_045_678


def make_batch(*contents: str, intake: Intake | None = None) -> MessageBatch:
    """A batch whose row i is of chat 10 + i, sender 20 + i and session 30 + i."""
    intake = Intake() if intake is None else intake
    for row, content in enumerate(contents):
        intake.push(orjson.dumps({"content": content}), None, 10 + row, 20 + row, 30 + row, None)
    batch = intake.take(max(1, len(contents)))
    assert batch is not None
    return batch


def address(batch: MessageBatch) -> int:
    """Where the first column lies in memory."""
    place: int = np.asarray(batch.chat_ids).__array_interface__["data"][0]
    return place


def test_numpy_reads_the_columns_without_a_copy() -> None:
    batch = make_batch("a", "é😀", "c")
    columns = [batch.chat_ids, batch.sender_ids, batch.session_ids, batch.fingerprints, batch.content_offsets]
    expected = [[10, 11, 12], [20, 21, 22], [30, 31, 32], list(map(reference.fingerprint, ["a", "é😀", "c"])), [0, 1, 7, 8]]
    for column, values in zip(columns, expected, strict=True):
        read: np.ndarray[Any, Any] = np.asarray(column)
        assert read.dtype == np.int64
        assert not read.flags.owndata
        assert not read.flags.writeable
        assert read.tolist() == column.tolist() == values == np.frombuffer(memoryview(column), np.int64).tolist()
        assert len(column) == len(values)
    assert address(batch) == address(batch)


def test_the_arena_holds_all_contents_as_utf8() -> None:
    batch = make_batch("a", "é😀", "c")
    arena = memoryview(batch.arena)
    assert (arena.format, arena.ndim, arena.shape, arena.readonly) == ("B", 1, (8,), True)
    assert arena.tobytes() == "aé😀c".encode()
    assert len(batch.arena) == 8


@pytest.mark.parametrize("name", ["chat_ids", "arena"])
def test_nobody_can_write_into_a_batch(name: str) -> None:
    column = getattr(make_batch("abc"), name)
    with pytest.raises(TypeError, match="read-only"):
        memoryview(column)[0] = 1
    with pytest.raises(TypeError, match="read-write"):
        io.BytesIO(b"12345678").readinto(column)


def test_a_view_outlives_its_batch_and_the_reuse_of_memory() -> None:
    intake = Intake()
    batch = make_batch("first", "second", intake=intake)
    chats, arena = np.asarray(batch.chat_ids), memoryview(batch.arena)
    del batch
    gc.collect()
    for _ in range(50):
        make_batch("overwritten", "overwritten", intake=intake)
    assert chats.tolist() == [10, 11]
    assert arena.tobytes() == b"firstsecond"


def test_memory_is_reused_when_no_view_is_left() -> None:
    intake = Intake()
    addresses = set()
    for _ in range(20):
        batch = make_batch("x" * 100, intake=intake)
        addresses.add(address(batch))
        del batch
    assert len(addresses) == 1


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(bodies.written(bodies.likely_messages), INT64, INT64), min_size=1, max_size=8),
    st.lists(st.tuples(INT64, INT64, INT64, INT64), min_size=8, max_size=8),
    st.integers(-62_135_596_800_000, 253_402_300_799_999),
    st.randoms(),
)
def test_answers_and_frames_are_those_of_orjson(
    sent: list[tuple[bytes, int, int]], stored: list[tuple[int, int, int, int]], created_at_ms: int, random: Any
) -> None:
    intake = Intake()
    kept: list[tuple[int, int, reference.Message]] = []
    for body, chat_id, sender_id in sent:
        try:
            message = reference.parse_message(body)
        except (reference.Invalid, reference.Malformed):
            continue
        intake.push(body, None, chat_id, sender_id, 0, None)
        kept.append((chat_id, sender_id, message))
    batch = intake.take()
    rows: list[int] = random.sample(range(len(kept)), random.randint(0, len(kept)))
    if batch is None:
        return
    expected = [reference.encode(*kept[row], got, created_at_ms, "ep") for row, got in zip(rows, stored, strict=False)]
    ids, numbers, sequences, workspace_ids = ([got[at] for got in stored[: len(rows)]] for at in range(4))
    answers, frames = batch.encode(rows, ids, numbers, sequences, workspace_ids, created_at_ms, "ep")
    assert list(zip(answers, frames, strict=True)) == expected
    assert batch.keys() == [key and reference.stored_key(key) for _, _, (_, key) in kept]


def test_a_large_batch_is_encoded_like_a_small_one() -> None:
    contents = ["é" * 3990 + str(row) for row in range(200)]
    batch = make_batch(*contents)
    numbers = list(range(200))
    answers, _ = batch.encode(numbers, numbers, numbers, numbers, numbers, CREATED_AT_MS, "e")
    assert [orjson.loads(answer)["content"] for answer in answers] == contents


def test_what_cannot_be_encoded_is_refused() -> None:
    batch = make_batch("a")
    for rows in ([1], [2**40]):
        with pytest.raises(IndexError):
            batch.encode(rows, [1], [1], [1], [1], CREATED_AT_MS, "e")
    with pytest.raises(ValueError, match="one length"):
        batch.encode([0], [1, 2], [1], [1], [1], CREATED_AT_MS, "e")
    for epoch in ["a b", "a\nb", "é"]:
        with pytest.raises(ValueError, match="epoch"):
            batch.encode([0], [1], [1], [1], [1], CREATED_AT_MS, epoch)
    for moment in [253_402_300_800_000, -(2**63)]:
        with pytest.raises(ValueError, match="years"):
            batch.encode([0], [1], [1], [1], [1], moment, "e")
    with pytest.raises(OverflowError):
        batch.encode([-1], [1], [1], [1], [1], CREATED_AT_MS, "e")
