"""Groups of rows: the same session, chat and sender, in ascending order."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fechatter.messages import groups
from fechatter.native import Intake, MessageBatch

Origin = tuple[int, int, int]
ORIGIN = st.tuples(st.sampled_from([1, 2, 2**60]), st.sampled_from([1, 2]), st.sampled_from([1, 2]))
ORIGINS = st.lists(ORIGIN, min_size=1, max_size=80) | st.lists(
    st.tuples(ORIGIN, st.integers(1, 60)), min_size=1, max_size=4
).map(lambda runs: [origin for origin, length in runs for _ in range(length)])


def make_batch(origins: list[Origin]) -> MessageBatch:
    """Return a batch with these (session, chat, sender)."""
    intake = Intake()
    for session_id, chat_id, sender_id in origins:
        intake.push(b'{"content":"a"}', None, chat_id, sender_id, session_id, None)
    batch = intake.take()
    assert batch is not None
    return batch


def group(origins: list[Origin], rows: list[int]) -> list[list[int]]:
    return groups.group_rows(make_batch(origins), list(zip(*origins, strict=True)), rows)


@pytest.mark.parametrize("numpy_rows", [2, 1000])
@settings(deadline=None)
@given(ORIGINS, st.sets(st.integers(0, 255)))
def test_each_row_is_in_one_group_with_rows_of_its_origin(
    numpy_rows: int, origins: list[Origin], left_out: set[int]
) -> None:
    rows = [row for row in range(len(origins)) if row not in left_out]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(groups, "NUMPY_ROWS", numpy_rows)
        found = group(origins, rows)
    assert sorted(row for each in found for row in each) == rows
    assert all(each == sorted(each) and len({origins[row] for row in each}) == 1 for each in found)


def test_requests_of_many_messages_are_one_group_each() -> None:
    rows = list(range(250))
    assert group([(1, 1, 1)] * 100 + [(2, 1, 2)] * 100 + [(1, 1, 1)] * 50, rows) == [
        rows[:100],
        rows[100:200],
        rows[200:],
    ]


def test_messages_of_many_people_are_grouped_whatever_their_order() -> None:
    origins = [(1, 1, 1), (2, 1, 2)] * 100
    assert group(origins, list(range(200))) == [list(range(0, 200, 2)), list(range(1, 200, 2))]
