"""What a message of the bus proves, and which repeats are found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fechatter.bus import seal
from fechatter.bus.seal import MOST_SECONDS, Forged, Repeats, Seal
from fechatter.bus.wire import Signals

NOW = 1_000_000_000


def message(count: int, *, node: str = "a", sent_at: int = NOW) -> Signals:
    return Signals(node, count, sent_at, "era", [])


@given(st.text("abc.*", max_size=12), st.binary(max_size=200))
def test_what_was_signed_is_opened(subject: str, payload: bytes) -> None:
    ours = Seal(b"secret")
    assert ours.open(subject, ours.sign(subject, payload)) == payload


@given(st.binary(min_size=1, max_size=200), st.data())
def test_any_changed_bit_another_subject_and_another_secret_are_found(payload: bytes, data: st.DataObject) -> None:
    ours = Seal(b"secret")
    signed = ours.sign("events.1", payload)
    place = data.draw(st.integers(0, 8 * len(signed) - 1))
    changed = bytearray(signed)
    changed[place // 8] ^= 1 << place % 8
    for subject, forged in (
        ("events.1", bytes(changed)),
        ("events.11", signed),
        ("events.", b"1" + signed),
        ("events.1", Seal(b"other").sign("events.1", payload)),
        ("events.1", payload),
    ):
        with pytest.raises(Forged):
            ours.open(subject, forged)


def test_a_message_is_news_once_and_in_order_for_each_node() -> None:
    repeats = Repeats()
    assert [repeats.is_news(message(count), NOW) for count in (1, 2, 2, 1, 5, 4, 6)] == [
        True,
        True,
        False,
        False,
        True,
        False,
        True,
    ]
    assert repeats.is_news(message(1, node="b"), NOW)


@pytest.mark.parametrize("age", [-MOST_SECONDS * 1000 - 1, MOST_SECONDS * 1000 + 1])
def test_an_old_message_and_one_of_the_future_are_no_news(age: int) -> None:
    assert not Repeats().is_news(message(1, sent_at=NOW - age), NOW)


def test_nodes_that_are_gone_are_forgotten_and_their_messages_stay_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "MAX_NODES", 2)
    repeats, first = Repeats(), message(1, node="gone")
    assert repeats.is_news(first, NOW)
    assert repeats.is_news(message(1, node="old"), NOW)
    later = NOW + MOST_SECONDS * 1000 + 1
    assert repeats.is_news(message(1, node="new", sent_at=later), later)
    assert len(repeats._newest) == 1
    assert not repeats.is_news(first, later)


def test_a_seal_shows_no_secret() -> None:
    assert "secret" not in repr(Seal(b"secret"))
