"""The signatures of bus messages, and repeated signals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fechatter.bus import seal
from fechatter.bus.seal import MAX_AGE_SECONDS, Forged, Repeats, Seal
from fechatter.bus.wire import Signals

NOW = 1_000_000_000


def message(count: int, *, node: str = "a", sent_at: int = NOW) -> Signals:
    return Signals(node, count, sent_at, "era", [])


@given(st.text("abc.*", max_size=12), st.binary(max_size=200))
def test_a_signed_message_can_be_opened(subject: str, payload: bytes) -> None:
    ours = Seal(b"secret")
    assert ours.open(subject, ours.sign(subject, payload)) == payload


@given(st.binary(min_size=1, max_size=200), st.data())
def test_a_changed_bit_another_subject_or_another_secret_is_forged(payload: bytes, data: st.DataObject) -> None:
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


def test_each_message_of_a_node_is_accepted_once_and_in_order() -> None:
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


@pytest.mark.parametrize("age", [-MAX_AGE_SECONDS * 1000 - 1, MAX_AGE_SECONDS * 1000 + 1])
def test_messages_from_the_past_or_the_future_are_dropped(age: int) -> None:
    assert not Repeats().is_news(message(1, sent_at=NOW - age), NOW)


def test_messages_of_a_forgotten_node_are_still_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "MAX_NODES", 2)
    repeats, first = Repeats(), message(1, node="gone")
    assert repeats.is_news(first, NOW)
    assert repeats.is_news(message(1, node="old"), NOW)
    later = NOW + MAX_AGE_SECONDS * 1000 + 1
    assert repeats.is_news(message(1, node="new", sent_at=later), later)
    assert len(repeats._newest) == 1
    assert not repeats.is_news(first, later)


def test_the_repr_of_a_seal_does_not_contain_the_secret() -> None:
    assert "secret" not in repr(Seal(b"secret"))
