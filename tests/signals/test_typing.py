"""Typing is shown to the others at most every three seconds, and as a number if many people type."""

from __future__ import annotations

import orjson
import pytest

from fechatter.frames import Frame, Signal, block_json
from fechatter.model import ChatId, UserId, WorkspaceId
from fechatter.signals import typing
from fechatter.signals.typing import MAX_NAMED, Typing

WORKSPACE, CHAT, OTHER = WorkspaceId(1), ChatId(7), ChatId(8)


class Typists:
    """The signals that `Typing` publishes, and a clock that the test sets."""

    def __init__(self) -> None:
        self.now = 100.0
        self.sent: list[Signal] = []
        self.typing = Typing(self._publish, lambda: self.now)

    def _publish(self, frames: list[Frame], signals: list[Signal]) -> None:
        assert frames == []
        self.sent += signals
        for signal in signals:  # as the router does
            self.typing.heard(signal)

    def types(self, user_id: int, chat_id: ChatId = CHAT) -> list[tuple[list[int], int]]:
        """Report that the person types; return the people and the number of each new signal."""
        before = len(self.sent)
        self.typing.started(WORKSPACE, chat_id, UserId(user_id))
        shown = [orjson.loads(block_json(signal.block)) for signal in self.sent[before:]]
        return [(each["user_ids"], each["count"]) for each in shown]

    @property
    def remembered(self) -> int:
        return self.typing.queues()[0].depth()


@pytest.fixture
def typists() -> Typists:
    return Typists()


def test_a_signal_is_for_the_chat_except_the_person_who_types(typists: Typists) -> None:
    assert typists.types(5) == [([5], 1)]
    [signal] = typists.sent
    assert (signal.workspace_id, signal.chat_id, signal.except_user_id) == (WORKSPACE, CHAT, 5)
    data = {"chat_id": CHAT, "user_ids": [5], "count": 1, "expires_in": 6}
    assert signal.block == b"event: typing.started\ndata: " + orjson.dumps(data) + b"\n\n"


def test_a_person_is_shown_at_most_every_three_seconds_in_each_chat(typists: Typists) -> None:
    assert typists.types(5) == [([5], 1)]
    typists.now += 2.9
    assert typists.types(5) == []
    assert typists.types(5, OTHER) == [([5], 1)]
    assert typists.types(6) == [([6], 2)]
    typists.now += 0.1
    assert typists.types(5) == [([5], 2)]


def test_a_person_who_stopped_no_longer_counts_and_is_forgotten(typists: Typists) -> None:
    typists.types(5)
    typists.now += 4
    assert typists.types(6) == [([6], 2)]
    typists.now += 2
    assert typists.types(7) == [([7], 2)]
    typists.now += 6
    assert typists.types(8) == [([8], 1)]
    assert typists.remembered == 1


def test_many_people_become_a_number_that_is_sent_once_a_second(typists: Typists) -> None:
    for person in range(1, MAX_NAMED + 1):
        assert typists.types(person) == [([person], person)]
    assert typists.types(50) == [([], MAX_NAMED + 1)]
    for person in range(60, 160):
        assert typists.types(person) == []
    typists.now += 1
    assert typists.types(200) == [([], MAX_NAMED + 102)]
    typists.now += 6
    assert typists.types(1) == [([1], 1)]


def test_people_who_type_on_other_nodes_count(typists: Typists) -> None:
    other = Typists()
    other.types(5)
    typists.typing.heard(other.sent[0])
    assert typists.types(6) == [([6], 2)]
    typists.now += 1
    assert typists.types(5) == []


def test_memory_is_bounded(typists: Typists, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typing, "MAX_TYPING", 3)
    for person in range(1, 4):
        assert len(typists.types(person)) == 1
    assert typists.types(9) == []
    assert typists.remembered == 3
    typists.now += 6
    assert typists.types(9) == [([9], 1)]
    assert typists.remembered == 1
