"""The sequencer passes on each number once and in order, whatever the bus does."""

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
# Deliveries of the bus: any numbers, repeated, missing, late or early. Sometimes the log is read.
DELIVERIES = st.lists(st.one_of(st.lists(st.integers(1, HEAD), max_size=8), st.just("fill")), max_size=30)


def accept(waiting: Sequencer, frames: list[Frame]) -> list[int]:
    return [frame.seq for frame in waiting.accept(frames)]


def fill(waiting: Sequencer) -> list[int]:
    """Fill as the hub does: from the position up to the highest known number."""
    return [frame.seq for frame in waiting.fill(LOG[waiting.position : waiting.expected])]


@given(DELIVERIES)
def test_each_number_is_passed_once_and_in_order_after_any_deliveries(deliveries: list[list[int] | str]) -> None:
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


def test_consecutive_frames_pass_at_once() -> None:
    waiting = Sequencer(Position(ERA, 0), ERA)
    assert accept(waiting, LOG) == list(range(1, HEAD + 1))


def test_held_frames_are_limited_and_read_from_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Sequencer(Position(ERA, 0), ERA)
    monkeypatch.setattr(sequencer, "MAX_HELD", 3)
    assert (accept(waiting, LOG[1:]), waiting.held, waiting.expected) == ([], 3, HEAD)
    assert fill(waiting) == list(range(1, HEAD + 1))
