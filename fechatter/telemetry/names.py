"""Declares every metric: its name, kind, meaning and labels. `make metrics` prints `METRICS.md` from this module.

Names follow Prometheus: the unit is at the end, and `_total` marks a value that only grows. No label contains a value
that a client sent: routes are templates, and all unknown routes share one value. A figure is that of one process,
unless its meaning includes "in the database". A metric whose value is unknown has no sample.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["counter", "gauge", "histogram"]


class Metric(msgspec.Struct, frozen=True):
    """One metric; `labels` are the names of its labels, in order."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


REGISTRY: dict[str, Metric] = {}
"""Every metric by its name, in the order of METRICS.md."""


def _metric(name: str, kind: Kind, help_text: str, *labels: str) -> Metric:
    if name in REGISTRY:
        raise ValueError(f"{name} is declared twice")
    REGISTRY[name] = Metric(name, kind, help_text, labels)
    return REGISTRY[name]


REQUESTS = _metric(
    "fechatter_requests_total",
    "counter",
    "Requests that received a response.",
    "route",
    "method",
    "status",
)
REQUEST_SECONDS = _metric(
    "fechatter_request_seconds",
    "histogram",
    "Time from the head of a request to the head of its response.",
    "route",
    "method",
)
PROBLEMS = _metric("fechatter_problems_total", "counter", "Error responses, by the code in their body.", "code")
LIMITED = _metric("fechatter_limited_total", "counter", "Requests that a rate limit refused.", "limit")

GATEWAY_OPEN = _metric("fechatter_gateway_connections", "gauge", "Connections of clients that the gateway has open.")
GATEWAY_LIMIT = _metric("fechatter_gateway_connections_limit", "gauge", "Maximum number of such connections.")
GATEWAY_ACCEPTED = _metric("fechatter_gateway_accepted_total", "counter", "Connections that the gateway accepted.")
GATEWAY_CLOSED = _metric(
    "fechatter_gateway_closed_total",
    "counter",
    "Connections that the gateway closed: `evicted`, to make room for others; `stalled`, its client did not read (also "
    "streams of HTTP/2); `handshake`, its TLS handshake failed or was late; `proxy_header`, its proxy did not send the "
    "PROXY protocol.",
    "reason",
)
GATEWAY_REQUESTS = _metric(
    "fechatter_gateway_requests_total",
    "counter",
    "Requests with a complete head that the gateway received.",
)
GATEWAY_PROXIED = _metric("fechatter_gateway_proxied_total", "counter", "Requests that it forwarded.")
GATEWAY_ABANDONED = _metric(
    "fechatter_gateway_abandoned_total",
    "counter",
    "Requests whose client left before the end of the response.",
)
GATEWAY_REFUSED = _metric(
    "fechatter_gateway_refused_total",
    "counter",
    "Error responses of the gateway itself, by the code in their body.",
    "code",
)
GATEWAY_UPSTREAM = _metric(
    "fechatter_gateway_upstream_connections",
    "gauge",
    "Connections from the gateway to the servers behind it.",
)
GATEWAY_UPSTREAM_OPENED = _metric(
    "fechatter_gateway_upstream_opened_total",
    "counter",
    "Such connections that the gateway opened.",
)
GATEWAY_STREAMS = _metric("fechatter_gateway_streams", "gauge", "Live streams that the gateway forwards.")
UPSTREAM_HEALTHY = _metric(
    "fechatter_gateway_upstream_healthy",
    "gauge",
    "1 if the last health checks of the server behind the gateway succeeded, otherwise 0.",
    "upstream",
)
UPSTREAM_BREAKER_OPEN = _metric(
    "fechatter_gateway_upstream_breaker_open",
    "gauge",
    "1 if the circuit breaker of the server behind the gateway is open, otherwise 0.",
    "upstream",
)
UPSTREAM_ACTIVE = _metric(
    "fechatter_gateway_upstream_active", "gauge", "Requests in progress at the server.", "upstream"
)
UPSTREAM_REQUESTS = _metric(
    "fechatter_gateway_upstream_requests_total", "counter", "Requests that were sent to the server.", "upstream"
)
UPSTREAM_FAILURES = _metric(
    "fechatter_gateway_upstream_failures_total", "counter", "Requests and connections that failed.", "upstream"
)

RESPONSES = _metric(
    "fechatter_response_cache_requests_total",
    "counter",
    "Requests that the gateway could answer from its cache: `hit`, it did; `miss`, it forwarded the request.",
    "result",
)
RESPONSES_PURGED = _metric(
    "fechatter_response_cache_purged_total", "counter", "Responses that events removed from the cache."
)
RESPONSES_KEPT = _metric("fechatter_response_cache_entries", "gauge", "Responses in the cache.")
RESPONSES_BYTES = _metric("fechatter_response_cache_bytes", "gauge", "Memory of the cache.")
GRANTS = _metric(
    "fechatter_response_cache_grants", "gauge", "Rights of sessions that the cache remembers; some may have ended."
)

MESSAGES = _metric("fechatter_messages_stored_total", "counter", "Messages stored.")
SEND_SECONDS = _metric(
    "fechatter_send_seconds",
    "histogram",
    "Time from the complete body of a message to its response: queue, commit, hand-over.",
)
BATCH_ROWS = _metric("fechatter_batch_rows", "histogram", "Messages in one batch of the writer.")
BATCH_SECONDS = _metric("fechatter_batch_seconds", "histogram", "Time to decide, store and encode one batch.")
COMMIT_SECONDS = _metric(
    "fechatter_commit_seconds",
    "histogram",
    "Duration of one batch's transaction in the database.",
)
BATCHES_FAILED = _metric(
    "fechatter_batches_failed_total",
    "counter",
    "Batches in which at least one message could not be stored.",
)

QUEUE_DEPTH = _metric("fechatter_queue_depth", "gauge", "Current depth of a queue.", "queue", "unit")
QUEUE_LIMIT = _metric("fechatter_queue_limit", "gauge", "Maximum depth of a queue.", "queue", "unit")

STREAMS = _metric("fechatter_streams", "gauge", "Live streams that are open.")
PRESENCE_SIGNALS = _metric(
    "fechatter_presence_signals_total", "counter", "Signals of presence that were queued for streams."
)
STREAMS_OPENED = _metric("fechatter_streams_opened_total", "counter", "Live streams that were opened.")
STREAMS_CLOSED = _metric("fechatter_streams_closed_total", "counter", "Live streams that were closed.", "reason")
DELIVERED = _metric(
    "fechatter_delivered_blocks_total",
    "counter",
    "Events and other blocks that were written to live streams.",
)
DELIVERED_BYTES = _metric("fechatter_delivered_bytes_total", "counter", "Bytes of these blocks.")
STREAM_WRITES = _metric(
    "fechatter_stream_writes_total",
    "counter",
    "Writes of these blocks; one write contains all pending blocks of a stream.",
)
LIVE_WORKSPACES = _metric("fechatter_rooms", "gauge", "Workspaces with a live stream on this node.")
GAPS = _metric("fechatter_gaps_filled_total", "counter", "Gaps in bus delivery that were filled from the log.")
GAP_EVENTS = _metric("fechatter_gap_events_total", "counter", "Events that were read from the log to fill such gaps.")
LOG_RESTARTS = _metric(
    "fechatter_log_restarts_total",
    "counter",
    "Times that the streams of a workspace got `reset` because its log went back in time or was pruned.",
)

BUS_PUBLISHED = _metric("fechatter_bus_published_total", "counter", "Events and signals that were passed to the bus.")
BUS_LOST = _metric(
    "fechatter_bus_lost_total",
    "counter",
    "Events and signals that were not sent to other nodes, which read the log instead.",
)
BUS_REJECTED = _metric(
    "fechatter_bus_rejected_total",
    "counter",
    "Messages from the bus that were dropped because they were forged, repeated or too old.",
)

PEOPLE_MINUTE = _metric(
    "fechatter_people_active",
    "gauge",
    "People who sent a request to this node in the last minute.",
)
PEOPLE_DAY = _metric(
    "fechatter_people_active_day",
    "gauge",
    "People who used a session in the last 24 hours, in the database.",
)

DATABASE_UP = _metric(
    "fechatter_database_up",
    "gauge",
    "1 if the database answered the latest query for metrics in time, else 0.",
)
CONNECTIONS = _metric(
    "fechatter_database_connections",
    "gauge",
    "Connections to the database, by state: for reads and, on PostgreSQL, for writes.",
    "state",
)
CONNECTIONS_WAITING = _metric("fechatter_database_waiting", "gauge", "Requests that wait for such a connection.")
LOG_EVENTS = _metric("fechatter_event_log_events", "gauge", "Events in the log, in the database.")
LOG_DROPPED = _metric("fechatter_event_log_floor", "gauge", "Events that were pruned from the log, in the database.")
LOG_AGE = _metric(
    "fechatter_event_log_oldest_seconds",
    "gauge",
    "Age of the oldest event in the log, in the database; absent while the log is empty.",
)
MIGRATION = _metric("fechatter_migration", "gauge", "Number of the newest migration, in the database.")

LOOP_FAILING = _metric(
    "fechatter_loop_failing",
    "gauge",
    "1 if the latest step of a background loop failed, else 0; absent before the first step.",
    "loop",
)
LOOP_FAILURES = _metric("fechatter_loop_failures_total", "counter", "Steps of a background loop that failed.", "loop")
LOOP_RUNS = _metric("fechatter_loop_runs_total", "counter", "Steps of a background loop that succeeded.", "loop")
TASKS = _metric("fechatter_tasks", "gauge", "Background tasks that are running.", "task")
LOOP_LAG = _metric(
    "fechatter_loop_lag_seconds",
    "histogram",
    "Delay before the main loop wakes a sleeping task, measured twice a second.",
)
LOG_LINES = _metric("fechatter_log_lines_total", "counter", "Log lines, by level.", "level")
LOG_LOST = _metric(
    "fechatter_log_lines_lost_total",
    "counter",
    "Log lines that were dropped because nothing read standard error.",
)
BUILD = _metric(
    "fechatter_build_info",
    "gauge",
    "The build of this process, in the labels; always 1.",
    "version",
    "native",
    "source",
    "python",
    "engine",
)

CPU = _metric("process_cpu_seconds_total", "counter", "Processor time that the process used, user and system.")
MEMORY = _metric("process_resident_memory_bytes", "gauge", "Resident memory of the process.")
FILES = _metric("process_open_fds", "gauge", "Open file descriptors.")
FILES_MAX = _metric("process_max_fds", "gauge", "Maximum number of open file descriptors; absent if unlimited.")
THREADS = _metric("process_threads", "gauge", "Python threads.")
STARTED = _metric("process_start_time_seconds", "gauge", "Start time of the process, in seconds since 1970.")
COLLECTIONS = _metric("python_gc_collections_total", "counter", "Runs of the garbage collector.", "generation")
COLLECTED = _metric(
    "python_gc_objects_collected_total",
    "counter",
    "Objects that the garbage collector freed.",
    "generation",
)
