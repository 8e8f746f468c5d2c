"""Limits how often something can be tried. native/src/quota.rs counts, for both entry points."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec

from fechatter import native
from fechatter.errors import TooManyRequests

MAX_KEYS = native.MAX_RATE_KEYS

Key = int | str | bytes
"""A person, a client address or a digest."""


class Limit(msgspec.Struct, frozen=True):
    """Allows `burst` attempts at once, and one more every `every_seconds`."""

    name: str
    burst: int
    every_seconds: float

    def refusal(self, wait_seconds: float) -> TooManyRequests:
        """Return the error for an attempt that came `wait_seconds` too early."""
        return TooManyRequests(
            "Too many attempts. Wait before you try again.",
            code="too_many_attempts",
            retry_after_seconds=max(1, math.ceil(wait_seconds)),
            policy=(self.name, self.burst, math.ceil(self.burst * self.every_seconds)),
        )


class Meter(native.Meter):
    """Counts the attempts of each key against one limit.

    Args:
        clock: returns monotonic seconds; by default the clock of the extension.
        max_keys: the maximum number of keys in the table.
    """

    def __new__(cls, limit: Limit, clock: Callable[[], float] | None = None, max_keys: int = MAX_KEYS) -> Meter:
        return super().__new__(cls, limit.burst, limit.every_seconds, max_keys, clock)
