"""Receipts wait a second, so that several moves become one signal."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fechatter.frames import RECEIPT, Frame, Signal
from fechatter.model import WorkspaceId
from fechatter.signals import receipts
from fechatter.signals.receipts import WAIT_SECONDS, Receipts
from tests.bus.nodes import frame, signal


def receipt(user_id: int, number: int, chat_id: int = 7) -> Signal:
    return Signal.for_chat(WorkspaceId(1), chat_id, b"%d" % number, except_user_id=user_id, kind=RECEIPT)


class Desk:
    """What `Receipts` publishes, and its timers."""

    def __init__(self) -> None:
        self.published: list[tuple[list[Frame], list[Signal]]] = []
        self.timers: list[Callable[[], None]] = []
        self.receipts = Receipts(lambda frames, signals: self.published.append((frames, signals)), self._call_later)

    def _call_later(self, seconds: float, function: Callable[[], None]) -> None:
        assert seconds == WAIT_SECONDS
        self.timers.append(function)

    def commit(self, *signals: Signal) -> None:
        self.receipts.publish([], list(signals))

    def wait(self) -> list[Signal]:
        """Let the second pass; return what is published then."""
        self.published.clear()
        [timer], self.timers = self.timers, []
        timer()
        [(frames, signals)] = self.published
        assert frames == []
        return signals


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_frames_and_other_signals_are_published_at_once(desk: Desk) -> None:
    desk.receipts.publish([frame(1)], [signal(), receipt(5, 1), signal()])
    assert desk.published == [([frame(1)], [signal(), signal()])]
    assert desk.wait() == [receipt(5, 1)]


def test_moves_of_one_person_in_one_chat_become_one_signal(desk: Desk) -> None:
    for number in (1, 2, 3):
        desk.commit(receipt(5, number))
    desk.commit(receipt(6, 2))
    desk.commit(receipt(5, 9, chat_id=8))
    assert desk.wait() == [receipt(5, 3), receipt(6, 2), receipt(5, 9, chat_id=8)]
    assert desk.timers == []
    desk.commit(receipt(5, 4))
    assert desk.wait() == [receipt(5, 4)]


def test_memory_is_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipts, "MAX_WAITING", 2)
    for person in (1, 2, 3, 1):
        desk.commit(receipt(person, person * 10))
    [queue] = desk.receipts.queues()
    assert queue.depth() == 2
    assert desk.wait() == [receipt(1, 10), receipt(2, 20)]
    assert queue.depth() == 0
