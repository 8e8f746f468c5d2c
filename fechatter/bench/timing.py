"""The measurements of one run of load: latencies, and the cost for the server and the generator."""

from __future__ import annotations

import math
import time

from fechatter.bench.target import LoadTarget

BUSY_SHARE = 0.9
"""A generator that uses a larger share of its processor cannot send on time."""
LATE_SECONDS = 0.005


class Timing:
    """The measurements of one run. Latencies are in seconds.

    Attributes:
        refused: responses other than success.
        unanswered: requests without a response at the end; their latency is the time that they have waited.
        reopened: connections that the server had closed and that were opened again for the next request.
        late: the generator's own delays in seconds: of each request of an open loop for which a connection was free.
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
        """Begin to measure after the warm-up."""
        self._began, self._own_cpu, self._server_cpu = (
            time.perf_counter(),
            time.process_time(),
            self._target.cpu_seconds(),
        )

    def stop(self) -> None:
        """End the measured time; responses may still arrive."""
        self._ended = time.perf_counter()
        self.generator_cpu_seconds = time.process_time() - self._own_cpu
        now = self._target.cpu_seconds()
        self.server_cpu_seconds = None if now is None or self._server_cpu is None else now - self._server_cpu
        self.server_memory_bytes = self._target.memory_bytes()

    def add(self, latency: float, status: int) -> None:
        """Add the latency of one request. Status 0 means that there was no response."""
        self.latencies.append(latency)
        if status == 0:
            self.unanswered += 1
        elif not 200 <= status < 300:
            self.refused += 1
        self._last = time.perf_counter()

    @property
    def seconds(self) -> float:
        """The measured time, without the warm-up."""
        return self._ended - self._began

    @property
    def rate(self) -> float:
        """Successful responses per second. The time includes the wait for responses after the measured time."""
        slow = max(self._last - self._ended, 0.0)
        return (len(self.latencies) - self.refused - self.unanswered) / (self.seconds + slow)

    @property
    def generator_share(self) -> float:
        """The share of one processor that the generator used."""
        return self.generator_cpu_seconds / self.seconds

    def limited_by_generator(self) -> str | None:
        """Return why the generator, not the server, limited the figures; None if it did not."""
        if self.generator_share > BUSY_SHARE:
            return f"it used {self.generator_share:.0%} of the one processor it can use"
        lag = percentile(sorted(self.late), 0.99) if self.late else 0.0
        if lag > LATE_SECONDS:
            return (
                f"it sent 1 of 100 requests at least {lag * 1000:.1f} ms late (or other programs kept the machine busy)"
            )
        return None


def percentile(ordered: list[float], share: float) -> float:
    """Return the nearest rank: the smallest value that at least `share` of the values do not exceed."""
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]
