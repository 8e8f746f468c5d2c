"""Counts and states for metrics and health that belong to no other package."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import msgspec

from fechatter.model import UserId, now_ms
from fechatter.telemetry.loop_lag import LoopLag

MAX_ADMIN_SESSIONS = 1_000


class StreamCounts:
    """Live streams since the start.

    Attributes:
        closed: the number of closed streams by reason.
        blocks: events and other blocks that were written, in `writes` writes.
    """

    def __init__(self) -> None:
        self.opened = 0
        self.closed: Counter[str] = Counter()
        self.blocks = 0
        self.bytes = 0
        self.writes = 0

    def wrote(self, blocks: int, size_bytes: int) -> None:
        """Count one write of `blocks` blocks."""
        self.blocks += blocks
        self.bytes += size_bytes
        self.writes += 1


class PartStates:
    """The latest state of each part of the server, and when the part was first seen in it."""

    def __init__(self) -> None:
        self._states: dict[str, tuple[str, int]] = {}

    def since(self, part: str, state: str) -> int:
        """Return when the part was first seen in this state, in milliseconds since 1970."""
        known = self._states.get(part)
        if known is None or known[0] != state:
            known = self._states[part] = (state, now_ms())
        return known[1]


class AdminSessions:
    """Sessions of people who were owners or admins when last seen.

    These sessions see health details while the database is unavailable.
    """

    def __init__(self) -> None:
        self._seen: dict[int, None] = {}

    def note(self, session_id: int, *, admin: bool) -> None:
        """Record whether the session's person is an owner or admin now."""
        self._seen.pop(session_id, None)
        if admin:
            self._seen[session_id] = None
            if len(self._seen) > MAX_ADMIN_SESSIONS:
                del self._seen[next(iter(self._seen))]

    def __contains__(self, session_id: int) -> bool:
        return session_id in self._seen


class AnsweredRoute(msgspec.Struct, frozen=True):
    """Responses of the gateway itself to the requests of one route and method.

    Attributes:
        statuses: by HTTP status.
        times: counts of a Histogram.
        seconds: the sum of these times.
    """

    route: str
    method: str
    statuses: dict[int, int]
    times: list[int]
    seconds: float


class Answered(msgspec.Struct, frozen=True):
    """The requests that the gateway answered instead of the app; their refusals by code."""

    routes: list[AnsweredRoute] = []
    codes: dict[str, int] = {}


class UpstreamReport(msgspec.Struct, frozen=True):
    """A server behind the gateway.

    Attributes:
        healthy: whether its last health checks succeeded; true without checks.
        open: whether its circuit breaker is open, so that it receives at most a trial request.
        active: requests in progress.
        failures: requests and connections that failed.
    """

    address: str
    healthy: bool
    open: bool
    active: int
    requests: int
    failures: int

    @property
    def works(self) -> bool:
        return self.healthy and not self.open


class GatewayCounters(msgspec.Struct, frozen=True):
    """What the gateway has counted since its start. `open` and `upstream_open` are current numbers.

    Attributes:
        limit: maximum number of open connections.
        evicted: quiet connections that were closed to make room.
        stalled: connections and HTTP/2 streams that were reset because the client did not read its answer.
        handshakes_failed: TLS handshakes that failed or were late.
        proxy_headers_refused: connections of trusted proxies without a valid header of the PROXY protocol.
        abandoned: requests whose client left before the end of the answer.
        forwarding: requests that are being forwarded.
        streams: forwarded requests whose answer is a live stream.
        refused: answers of the gateway itself, by code.
    """

    limit: int
    accepted: int
    open: int
    evicted: int
    stalled: int
    handshakes_failed: int
    proxy_headers_refused: int
    requests: int
    proxied: int
    abandoned: int
    upstream_open: int
    upstream_opened: int
    forwarding: int
    streams: int
    upstreams: tuple[UpstreamReport, ...]
    refused: dict[str, int]
    answered: Answered


class Watch:
    """All counts and states of this module.

    Attributes:
        gateway: returns the counters of the gateway, if there is one.
        senders: returns the people who sent messages through the gateway within the last minute.
        written_at: when the database last proved that it can store, by the monotonic clock.
    """

    def __init__(self) -> None:
        self.loop_lag = LoopLag()
        self.streams = StreamCounts()
        self.parts = PartStates()
        self.admins = AdminSessions()
        self.gateway: Callable[[], GatewayCounters] | None = None
        self.senders: Callable[[], list[UserId]] = list
        self.written_at = -math.inf
