"""The outbox of the NATS bus and the encoding of its messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fechatter.bus import outbox, wire
from fechatter.bus.outbox import Outbox, count
from fechatter.events import EventType
from fechatter.frames import Frame
from fechatter.model import WorkspaceId
from tests.bus.nodes import frame, signal

FRAMES = st.builds(
    Frame,
    workspace_id=st.integers(1, 2**53 - 1).map(WorkspaceId),
    seq=st.integers(1, 2**53 - 1),
    type=st.sampled_from(EventType),
    chat_id=st.none() | st.integers(1, 2**53 - 1),
    user_id=st.none() | st.integers(1, 2**53 - 1),
    block=st.binary(max_size=300),
    own_block=st.none() | st.binary(max_size=300),
    session_id=st.none() | st.integers(1, 2**53 - 1),
    era=st.text("0123456789abcdef", max_size=12),
)


async def test_frames_and_signals_wait_grouped_by_workspace_in_order() -> None:
    box = Outbox()
    box.put([frame(1), frame(9, workspace_id=2)], [signal()])
    box.put([frame(2)], [])
    box.put([frame(3, era="next")], [])
    frames, signals = box.take()
    assert {workspace: [each.seq for each in waiting] for workspace, waiting in frames.items()} == {
        1: [1, 2, 3],
        2: [9],
    }
    assert (count(frames), signals) == (4, {1: [signal()]})
    assert box.take() == ({}, {})


async def test_a_full_outbox_refuses_everything_until_it_is_emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MAX_WAITING_BYTES", 1000)
    box = Outbox()
    assert box.put([frame(1, block=bytes(1000))], [])
    assert not box.put([frame(2)], [])
    assert count(box.take()[0]) == 1
    assert box.put([frame(3)], [])


async def test_wait_ends_with_a_signal_a_wake_or_a_timeout() -> None:
    box = Outbox()
    await box.wait(0.001)
    box.put([], [signal()])
    await box.wait(60)
    box.take()
    box.wake()
    await box.wait(60)


@given(st.lists(FRAMES, max_size=20))
def test_decoded_frames_equal_the_encoded_ones(frames: list[Frame]) -> None:
    assert wire.decode_frames(wire.encode(frames)) == frames


@given(st.lists(FRAMES, max_size=40), st.integers(1, 3000))
def test_pieces_fit_and_contain_every_frame_that_fits(frames: list[Frame], limit: int) -> None:
    pieces = list(wire.split(frames, limit))
    assert all(piece and len(wire.encode(piece)) <= limit + 16 for piece in pieces)
    assert [each for piece in pieces for each in piece] == [each for each in frames if wire.size_bytes(each) <= limit]
