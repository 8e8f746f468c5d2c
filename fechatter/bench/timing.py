"""What one run of load measured: latencies, and what it cost the server and the generator."""

from __future__ import annotations

import math
import time

from fechatter.bench.target import LoadTarget

BUSY_SHARE = 0.9
"""A generator that uses more of one processor than this has no time left to be on time."""
LATE_SECONDS = 0.005


class Timing:
    """Latencies in seconds.

    Attributes: refused: answers that were no success. unanswered: requests without an answer at the end; their latency
    is how long they had waited by then. reopened: connections that the server had closed, opened again for the next
    request. late: how much later than due each request of an open loop left though a connection was free: the
    generator's own delay.
    """

    def __init__(self, target: LoadTarget) -> None:
        self._target = target
        self.latencies: list[float] = []
        self.refused = 0
        self.unanswered = 0
        self.reopened = 0
        self.late: list[float] = []
        self._began = self._ended = 0.0
        self._last = 0.0
        self._own_cpu = self.generator_cpu_seconds = 0.0
        self._server_cpu: float | None = None
        self.server_cpu_seconds: float | None = None
        self.server_memory_bytes: int | None = None

    def start(self) -> None:
        """The warming up is over."""
        self._began, self._own_cpu, self._server_cpu = time.perf_counter(), time.process_time(), self._target.cpu_seconds()

    def stop(self) -> None:
        """The time is over; answers may still come."""
        self._ended = time.perf_counter()
        self.generator_cpu_seconds = time.process_time() - self._own_cpu
        now = self._target.cpu_seconds()
        self.server_cpu_seconds = None if now is None or self._server_cpu is None else now - self._server_cpu
        self.server_memory_bytes = self._target.memory_bytes()

    def add(self, latency: float, status: int) -> None:
        """One request's; a status of 0 when there was no answer."""
        self.latencies.append(latency)
        if status == 0:
            self.unanswered += 1
        elif not 200 <= status < 300:
            self.refused += 1
        self._last = time.perf_counter()

    @property
    def seconds(self) -> float:
        """From the end of the warming up to the end of the time."""
        return self._ended - self._began

    @property
    def rate(self) -> float:
        """Successes a second. What was late is counted over the time that it took."""
        slow = max(self._last - self._ended, 0.0)
        return (len(self.latencies) - self.refused - self.unanswered) / (self.seconds + slow)

    @property
    def generator_share(self) -> float:
        """How much of one processor the generator used."""
        return self.generator_cpu_seconds / self.seconds

    def limited_by_generator(self) -> str | None:
        """Why the figures are the generator's rather than the server's, when they are."""
        if self.generator_share > BUSY_SHARE:
            return f"it used {self.generator_share:.0%} of the one processor it can use"
        lag = percentile(sorted(self.late), 0.99) if self.late else 0.0
        if lag > LATE_SECONDS:
            return f"1 of 100 requests left it {lag * 1000:.1f} ms late or more (or the machine had something else to do)"
        return None


def percentile(ordered: list[float], share: float) -> float:
    """The nearest rank: the least value that `share` of them do not exceed."""
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]
