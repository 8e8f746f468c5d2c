"""A batch: numpy reads its columns without a copy, and it encodes like orjson."""

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
CREATED_AT = "2026-01-02T03:04:05.678Z"


def make_batch(*contents: str, intake: Intake | None = None) -> MessageBatch:
    """Return a batch whose row i has chat 10 + i, sender 20 + i and session 30 + i."""
    intake = Intake() if intake is None else intake
    for row, content in enumerate(contents):
        intake.push(orjson.dumps({"content": content}), None, 10 + row, 20 + row, 30 + row, None)
    batch = intake.take()
    assert batch is not None
    return batch


def address(batch: MessageBatch) -> int:
    """Return the address of the first column."""
    place: int = np.asarray(batch.chat_ids).__array_interface__["data"][0]
    return place


def test_numpy_reads_the_columns_without_a_copy() -> None:
    batch = make_batch("a", "é😀", "c")
    columns = [batch.chat_ids, batch.thread_ids, batch.sender_ids, batch.session_ids, batch.fingerprints]
    expected = [
        [10, 11, 12],
        [0, 0, 0],
        [20, 21, 22],
        [30, 31, 32],
        list(map(reference.fingerprint, ["a", "é😀", "c"])),
    ]
    for column, values in zip(columns, expected, strict=True):
        read: np.ndarray[Any, Any] = np.asarray(column)
        assert read.dtype == np.int64
        assert not read.flags.owndata
        assert not read.flags.writeable
        assert read.tolist() == column.tolist() == values == np.frombuffer(memoryview(column), np.int64).tolist()
        assert len(column) == len(values)
    assert address(batch) == address(batch)


def test_a_column_is_read_only() -> None:
    column = make_batch("abc").chat_ids
    with pytest.raises(TypeError, match="read-only"):
        memoryview(column)[0] = 1
    with pytest.raises(TypeError, match="read-write"):
        io.BytesIO(b"12345678").readinto(column)


def test_a_view_outlives_its_batch_and_the_reuse_of_memory() -> None:
    intake = Intake()
    batch = make_batch("first", "second", intake=intake)
    chats = np.asarray(batch.chat_ids)
    del batch
    gc.collect()
    for _ in range(50):
        make_batch("overwritten", "overwritten", "overwritten", intake=intake)
    assert chats.tolist() == [10, 11]


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
    st.randoms(),
)
def test_answers_and_frames_equal_those_of_orjson(
    sent: list[tuple[bytes, int, int]], stored: list[tuple[int, int, int, int]], random: Any
) -> None:
    intake = Intake(extras_allowed=True)
    kept: list[tuple[int, int, reference.Message]] = []
    for body, chat_id, sender_id in sent:
        try:
            message = reference.parse_message(body, extras_allowed=True)
        except (reference.InvalidBody, reference.NotJson):
            continue
        intake.push(body, None, chat_id, sender_id, 0, None)
        kept.append((chat_id, sender_id, message))
    batch = intake.take()
    rows: list[int] = random.sample(range(len(kept)), random.randint(0, len(kept)))
    if batch is None:
        return
    expected = [reference.encode(*kept[row], got, CREATED_AT, "ep") for row, got in zip(rows, stored, strict=False)]
    ids, numbers, sequences, workspace_ids = ([got[at] for got in stored[: len(rows)]] for at in range(4))
    answers, frames = batch.encode(rows, ids, numbers, sequences, workspace_ids, CREATED_AT, "ep")
    assert list(zip(answers, frames, strict=True)) == expected
    assert batch.keys() == [key and reference.stored_key(key) for _, _, (_, key, _) in kept]


def test_a_large_batch_is_encoded_correctly() -> None:
    contents = ["é" * 3990 + str(row) for row in range(200)]
    batch = make_batch(*contents)
    numbers = list(range(200))
    answers, _ = batch.encode(numbers, numbers, numbers, numbers, numbers, CREATED_AT, "e")
    assert [orjson.loads(answer)["content"] for answer in answers] == contents


def test_invalid_arguments_of_encode_are_refused() -> None:
    batch = make_batch("a")
    for rows in ([1], [2**40]):
        with pytest.raises(IndexError):
            batch.encode(rows, [1], [1], [1], [1], CREATED_AT, "e")
    with pytest.raises(ValueError, match="same length"):
        batch.encode([0], [1, 2], [1], [1], [1], CREATED_AT, "e")
    for epoch in ["a b", "a\nb", "é", 'a"', "a\\"]:
        with pytest.raises(ValueError, match="epoch"):
            batch.encode([0], [1], [1], [1], [1], CREATED_AT, epoch)
    with pytest.raises(ValueError, match="created_at"):
        batch.encode([0], [1], [1], [1], [1], "2026-01-02 03:04:05", "e")
    with pytest.raises(OverflowError):
        batch.encode([-1], [1], [1], [1], [1], CREATED_AT, "e")


def test_only_rows_with_extras_are_returned() -> None:
    intake = Intake(extras_allowed=True)
    for extras in (b"", b',"extras":{\n"a": [1]}', b""):
        intake.push(b'{"content":"a"%b}' % extras, None, 1, 2, 3, None)
    batch = intake.take()
    assert batch is not None
    assert batch.extras() == {1: b'{"a": [1]}'}
    assert make_batch("a").extras() == {}
