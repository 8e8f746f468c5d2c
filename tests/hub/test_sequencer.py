"""The sequencer: whatever the bus does, each number is passed once, in order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fechatter.events import EventType
from fechatter.frames import Frame
from fechatter.hub import sequencer
from fechatter.hub.sequencer import Sequencer
from fechatter.model import Position, WorkspaceId

START, HEAD = 5, 25
ERA = "era"


def frame(seq: int, era: str = ERA) -> Frame:
    return Frame(WorkspaceId(1), seq, EventType.MESSAGE_CREATED, 1, None, b"", era=era)


LOG = [frame(seq) for seq in range(1, HEAD + 1)]
# What the bus brings: any numbers of the log, any of them again, never, late or before their time; sometimes the log is read.
DELIVERIES = st.lists(st.one_of(st.lists(st.integers(1, HEAD), max_size=8), st.just("fill")), max_size=30)


def accept(waiting: Sequencer, frames: list[Frame]) -> list[int]:
    return [frame.seq for frame in waiting.accept(frames)]


def fill(waiting: Sequencer) -> list[int]:
    """As the hub fills: from the position on, up to what is known to exist."""
    return [frame.seq for frame in waiting.fill(LOG[waiting.position : waiting.expected])]


@given(DELIVERIES)
def test_each_number_is_passed_once_and_in_order_whatever_is_lost_repeated_or_late(deliveries: list[list[int] | str]) -> None:
    passed: list[int] = []
    waiting = Sequencer(Position(ERA, START), ERA)
    for delivery in deliveries:
        if isinstance(delivery, str):
            passed += fill(waiting)
        else:
            passed += accept(waiting, [LOG[seq - 1] for seq in delivery])
        assert passed == list(range(START + 1, waiting.position + 1))
        assert waiting.behind == (waiting.expected > waiting.position)
    waiting.expect(HEAD)
    passed += fill(waiting)
    assert passed == list(range(START + 1, HEAD + 1))
    assert not waiting.behind
    assert waiting.held == 0


def test_frames_that_follow_each_other_pass_at_once() -> None:
    waiting = Sequencer(Position(ERA, 0), ERA)
    assert accept(waiting, LOG) == list(range(1, HEAD + 1))


def test_what_is_held_is_bounded_and_the_log_makes_up_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Sequencer(Position(ERA, 0), ERA)
    monkeypatch.setattr(sequencer, "MAX_HELD", 3)
    assert (accept(waiting, LOG[1:]), waiting.held, waiting.expected) == ([], 3, HEAD)
    assert fill(waiting) == list(range(1, HEAD + 1))
