"""The memory of request bodies: whoever holds most makes room."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from fechatter.auth.body_memory import BodyMemory, HeldBody
from fechatter.errors import Unavailable


def receiving(stack: ExitStack, memory: BodyMemory, key: str, size: int) -> tuple[HeldBody, list[str]]:
    """A body that is still received, and where it notes that it was given up."""
    body, told = stack.enter_context(memory.hold(key)), []
    body.give_up = lambda: told.append(key)
    body.grow(size)
    return body, told


def test_a_newcomer_gets_room_from_whoever_holds_most() -> None:
    memory = BodyMemory(100)
    with ExitStack() as stack:
        (small, _), (large, told), (other, _) = (receiving(stack, memory, key, size) for key, size in (("a", 20), ("a", 40), ("b", 40)))
        newcomer, _ = receiving(stack, memory, "c", 10)
        assert [body.given_up for body in (small, large, other, newcomer)] == [False, True, False, False]
        assert (told, memory.bytes_held) == (["a"], 70)
    assert memory.bytes_held == 0


def test_whoever_holds_most_is_refused_when_it_asks_for_more() -> None:
    memory = BodyMemory(100)
    with ExitStack() as stack:
        body, _ = receiving(stack, memory, "a", 60)
        receiving(stack, memory, "b", 40)
        with pytest.raises(Unavailable) as refused:
            body.grow(1)
        assert (refused.value.code, memory.bytes_held) == ("batches_full", 40)


def test_a_body_that_is_in_use_is_not_given_up() -> None:
    memory = BodyMemory(100)
    with ExitStack() as stack:
        used, told = receiving(stack, memory, "a", 90)
        used.give_up = None
        with pytest.raises(Unavailable):
            receiving(stack, memory, "b", 20)
        assert (used.given_up, told, memory.bytes_held) == (False, [], 90)
