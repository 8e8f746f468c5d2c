"""Limits the memory of request bodies and shares it fairly among keys.

When the memory is full, the key that uses most of it loses its largest body. Slow uploads of a few people therefore
block nobody else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fechatter.auth.rates import Key
from fechatter.errors import Unavailable


class HeldBody:
    """A body that is being received or used.

    Attributes:
        size: its bytes so far.
        is_dropped: whether it was dropped to make room for other bodies; its reader then raises `refusal`.
        on_drop: called once when the body is dropped; None unless the body is being received.
    """

    def __init__(self, memory: BodyMemory, key: Key) -> None:
        self.size = 0
        self.is_dropped = False
        self.on_drop: Callable[[], None] | None = None
        self._memory = memory
        self.key = key

    def grow(self, size: int) -> None:
        """Add `size` bytes. Raises Unavailable: the memory is full and this key uses most of it."""
        self.size += size
        self._memory.grow(self.key, size)
        if self.is_dropped:
            raise refusal()


class BodyMemory:
    """The memory of all request bodies of one process.

    Args:
        bound: the maximum number of bytes of all bodies together.
    """

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._bodies: dict[HeldBody, None] = {}
        self._of_keys: Counter[Key] = Counter()
        self._bytes = 0

    @property
    def bytes_held(self) -> int:
        return self._bytes

    @contextmanager
    def hold(self, key: Key) -> Iterator[HeldBody]:
        """Count the bytes of a body from its first byte until it is no longer used."""
        body = HeldBody(self, key)
        self._bodies[body] = None
        try:
            yield body
        finally:
            del self._bodies[body]
            if not body.is_dropped:
                self._release(body)

    def grow(self, key: Key, size: int) -> None:
        """Count bytes, and drop other bodies if the memory is full."""
        self._of_keys[key] += size
        self._bytes += size
        while self._bytes > self._bound and self._drop_one():
            pass

    def _drop_one(self) -> bool:
        """Drop the largest unfinished body of the key that uses most memory; return False if there is none."""
        receiving = [body for body in self._bodies if body.on_drop is not None and body.size]
        if not receiving:
            return False
        largest = max(receiving, key=lambda body: (self._of_keys[body.key], body.size))
        self._release(largest)
        largest.is_dropped = True
        on_drop, largest.on_drop = largest.on_drop, None
        if on_drop is not None:
            on_drop()
        return True

    def _release(self, body: HeldBody) -> None:
        self._bytes -= body.size
        self._of_keys[body.key] -= body.size
        if not self._of_keys[body.key]:
            del self._of_keys[body.key]


def refusal() -> Unavailable:
    """Return the error for a body that was dropped."""
    return Unavailable("The server is receiving too many request bodies.", code="batches_full")
