"""Limits how many requests a signed-in person or a client address may send.

Unlike the limits of attempts (`limits.py`), quotas count every request. They are so large that no person and no
well-behaved program reaches them. Each counted response has headers with the remaining quota
(draft-ietf-httpapi-ratelimit-headers, version 08 and later).

The counts are in this process's memory: each node counts on its own, and a restart resets the counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fechatter import native
from fechatter.auth.body_memory import BodyMemory
from fechatter.auth.pace import Pace
from fechatter.auth.rates import MAX_KEYS, Key
from fechatter.auth.turns import SharedTurns
from fechatter.errors import TooManyRequests
from fechatter.queues import Queue
from fechatter.settings import Settings

MAX_BODY_BYTES = 192 << 20
"""The memory for all request bodies together."""
MAX_BATCHES_PER_PERSON = 4

Header = tuple[bytes, bytes]
BatchLimits = tuple[native.Quota, native.AtOnce, native.Meter]
"""Counts the requests, the concurrent batches and the work of one person."""


class Quota:
    """Allows each key a number of requests per minute, all of them at once or spread over time.

    Args:
        name: its name in the headers.
        enabled: False counts nothing.
        clock: returns monotonic seconds; by default the clock of the extension.

    Attributes:
        counter: counts the requests; shared with the gateway. None counts nothing.
    """

    def __init__(
        self, name: str, per_minute: int, *, enabled: bool = True, clock: Callable[[], float] | None = None
    ) -> None:
        self.counter = native.Quota(name, per_minute, clock) if enabled else None
        self._policy = (name, per_minute, native.QUOTA_WINDOW_SECONDS)

    def take(self, key: Key) -> tuple[Header, ...]:
        """Count one request and return its headers. Raises TooManyRequests."""
        if self.counter is None:
            return ()
        taken = self.counter.take(key)
        if not isinstance(taken, int):
            return taken
        raise TooManyRequests(
            "Too many requests. Wait before you send more.",
            code="rate_limited",
            retry_after_seconds=taken,
            policy=self._policy,
        )

    def charge(self, key: Key, count: int) -> tuple[Header, ...]:
        """Count `count` more requests for a request that was allowed, and return its headers.

        If the count exceeds the quota, `take` refuses the next requests until enough time has passed.
        """
        return () if self.counter is None else self.counter.charge(key, count)

    def __len__(self) -> int:
        return 0 if self.counter is None else len(self.counter)


class AtOnce:
    """Limits concurrent requests for each key.

    Attributes:
        counter: counts the requests; shared with the gateway. None limits nothing.
    """

    def __init__(self, most: int, *, enabled: bool = True) -> None:
        self.counter = native.AtOnce(most) if enabled else None

    @contextmanager
    def one(self, key: Key) -> Iterator[None]:
        """Count a request of the key during the block. Raises TooManyRequests `too_many_at_once`."""
        if self.counter is None:
            yield
            return
        if not self.counter.enter(key):
            raise TooManyRequests("Too many requests at the same time. Wait for responses.", code="too_many_at_once")
        try:
            yield
        finally:
            self.counter.leave(key)


class Quotas:
    """The quotas of one process.

    Attributes:
        messages: messages of one person, including each message of a batch.
        requests: requests of one person, except sends of a single message.
        strangers: requests of one client address to endpoints that need no sign-in.
        strangers_at_once: concurrent requests of one client address to such endpoints.
        batches_at_once: concurrent batches of one person.
        bodies: the memory of all request bodies.
        pace: how fast the server works for one person or client address.
        reads, changes: turns of people's requests. They are separate, so that changes that wait for a lock do not delay
            reads.
    """

    def __init__(self, settings: Settings) -> None:
        on = settings.rate_limits
        self.messages = Quota("messages", settings.messages_per_minute, enabled=on)
        self.requests = Quota("requests", settings.requests_per_minute, enabled=on)
        self.strangers = Quota("strangers", settings.stranger_requests_per_minute, enabled=on)
        self.strangers_at_once = AtOnce(settings.stranger_requests_at_once, enabled=on)
        self.batches_at_once = AtOnce(MAX_BATCHES_PER_PERSON, enabled=on)
        self.bodies = BodyMemory(MAX_BODY_BYTES)
        self.pace = Pace(enabled=on)
        self.reads = SharedTurns("reads", self.pace, enabled=on)
        self.changes = SharedTurns("changes", self.pace, enabled=on)

    def gateway_batch_limits(self) -> BatchLimits | None:
        """Return the counts that the gateway shares for batches, besides `messages`; None if nothing is limited."""
        requests, at_once, work = self.requests.counter, self.batches_at_once.counter, self.pace.meter
        return None if requests is None or at_once is None or work is None else (requests, at_once, work)

    def queues(self) -> list[Queue]:
        return [
            self.reads.queue,
            self.changes.queue,
            Queue(
                "bodies",
                MAX_BODY_BYTES,
                "bytes",
                "503 `batches_full` for the heaviest sender",
                lambda: self.bodies.bytes_held,
            ),
            Queue("quotas", MAX_KEYS, "keys", "the key with the fewest requests is dropped", self._largest_meter),
        ]

    def _largest_meter(self) -> int:
        return max(len(self.messages), len(self.requests), len(self.strangers), len(self.pace))
