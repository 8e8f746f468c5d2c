"""The metrics of the gateway. `fechatter serve` and `fechatter gateway` both report them."""

from __future__ import annotations

from collections.abc import Iterator

from fechatter.telemetry import names
from fechatter.telemetry.exposition import Reading, unlabeled_fields
from fechatter.telemetry.watch import GatewayCounters

_UNLABELED = (
    (names.GATEWAY_OPEN, "open"),
    (names.GATEWAY_LIMIT, "limit"),
    (names.GATEWAY_ACCEPTED, "accepted"),
    (names.GATEWAY_REQUESTS, "requests"),
    (names.GATEWAY_PROXIED, "proxied"),
    (names.GATEWAY_ABANDONED, "abandoned"),
    (names.GATEWAY_UPSTREAM, "upstream_open"),
    (names.GATEWAY_UPSTREAM_OPENED, "upstream_opened"),
    (names.GATEWAY_STREAMS, "streams"),
)


def readings(counted: GatewayCounters | None) -> Iterator[Reading]:
    """Yield every metric of the gateway once. None means that there is no gateway."""
    yield from unlabeled_fields(counted, _UNLABELED)
    closed = (
        {}
        if counted is None
        else {
            "evicted": counted.evicted,
            "stalled": counted.stalled,
            "handshake": counted.handshakes_failed,
            "proxy_header": counted.proxy_headers_refused,
        }
    )
    yield Reading(names.GATEWAY_CLOSED, {(reason,): count for reason, count in closed.items()})
    refused = {} if counted is None else counted.refused
    yield Reading(names.GATEWAY_REFUSED, {(code,): count for code, count in refused.items()})
    upstreams = () if counted is None else counted.upstreams
    for metric, name in (
        (names.UPSTREAM_HEALTHY, "healthy"),
        (names.UPSTREAM_BREAKER_OPEN, "open"),
        (names.UPSTREAM_ACTIVE, "active"),
        (names.UPSTREAM_REQUESTS, "requests"),
        (names.UPSTREAM_FAILURES, "failures"),
    ):
        yield Reading(metric, {(each.address,): float(getattr(each, name)) for each in upstreams})
