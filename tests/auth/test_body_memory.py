"""The memory of request bodies: the key that uses most of it loses its largest body."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from fechatter.auth.body_memory import BodyMemory, HeldBody
from fechatter.errors import Unavailable


def receiving(stack: ExitStack, memory: BodyMemory, key: str, size: int) -> tuple[HeldBody, list[str]]:
    """Return a body that is being received, and the list of keys whose body was dropped."""
    body, dropped = stack.enter_context(memory.hold(key)), []
    body.on_drop = lambda: dropped.append(key)
    body.grow(size)
    return body, dropped


def test_a_new_body_replaces_the_largest_body_of_the_key_that_uses_most() -> None:
    memory = BodyMemory(100)
    with ExitStack() as stack:
        (small, _), (large, dropped), (other, _) = (
            receiving(stack, memory, key, size) for key, size in (("a", 20), ("a", 40), ("b", 40))
        )
        newcomer, _ = receiving(stack, memory, "c", 10)
        assert [body.is_dropped for body in (small, large, other, newcomer)] == [False, True, False, False]
        assert (dropped, memory.bytes_held) == (["a"], 70)
    assert memory.bytes_held == 0


def test_the_key_that_uses_most_is_refused_more_memory() -> None:
    memory = BodyMemory(100)
    with ExitStack() as stack:
        body, _ = receiving(stack, memory, "a", 60)
        receiving(stack, memory, "b", 40)
        with pytest.raises(Unavailable) as refused:
            body.grow(1)
        assert (refused.value.code, memory.bytes_held) == ("batches_full", 40)


def test_a_body_in_use_is_not_dropped() -> None:
    memory = BodyMemory(100)
    with ExitStack() as stack:
        used, dropped = receiving(stack, memory, "a", 90)
        used.on_drop = None
        with pytest.raises(Unavailable):
            receiving(stack, memory, "b", 20)
        assert (used.is_dropped, dropped, memory.bytes_held) == (False, [], 90)
