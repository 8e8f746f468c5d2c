"""Every metric there is: its name, what it is, and what it tells. `METRICS.md` is printed from here (`make metrics`).

Names follow Prometheus: a unit at the end, `_total` for what only grows. No label ever holds what a client sent: routes are templates,
everything unknown is one value. A figure is one process's own unless it says "in the database".
"""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["counter", "gauge", "histogram"]


class Metric(msgspec.Struct, frozen=True):
    """One line of the registry; `labels` are the names of its labels, in order."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


REGISTRY: dict[str, Metric] = {}
"""By name, in the order of the document."""


def _metric(name: str, kind: Kind, help_text: str, *labels: str) -> Metric:
    if name in REGISTRY:
        raise ValueError(f"{name} is declared twice")
    REGISTRY[name] = Metric(name, kind, help_text, labels)
    return REGISTRY[name]


REQUESTS = _metric("fechatter_requests_total", "counter", "Requests answered.", "route", "method", "status")
REQUEST_SECONDS = _metric("fechatter_request_seconds", "histogram", "From a request's head to its answer's head.", "route", "method")
PROBLEMS = _metric("fechatter_problems_total", "counter", "Refusals, by the code in their body.", "code")
LIMITED = _metric("fechatter_limited_total", "counter", "Requests refused by a limit of rate.", "limit")

MESSAGES = _metric("fechatter_messages_stored_total", "counter", "Messages stored; its rate is messages a second.")
SEND_SECONDS = _metric("fechatter_send_seconds", "histogram", "From a message's body received to its answer: queue, commit, hand-over.")
BATCH_ROWS = _metric("fechatter_batch_rows", "histogram", "Messages in one batch of the writer.")
BATCH_SECONDS = _metric("fechatter_batch_seconds", "histogram", "One batch from taken to answered: decided, stored, encoded.")
COMMIT_SECONDS = _metric("fechatter_commit_seconds", "histogram", "One batch's transaction in the database.")
BATCHES_FAILED = _metric("fechatter_batches_failed_total", "counter", "Batches of which something could not be stored.")

QUEUE_DEPTH = _metric("fechatter_queue_depth", "gauge", "What waits in a queue now.", "queue", "unit")
QUEUE_LIMIT = _metric("fechatter_queue_limit", "gauge", "What a queue holds at most.", "queue", "unit")

STREAMS = _metric("fechatter_streams", "gauge", "Live streams now.")
STREAMS_OPENED = _metric("fechatter_streams_opened_total", "counter", "Streams that were opened.")
STREAMS_CLOSED = _metric("fechatter_streams_closed_total", "counter", "Streams that ended.", "reason")
DELIVERED = _metric("fechatter_delivered_blocks_total", "counter", "Events and other blocks written to streams.")
DELIVERED_BYTES = _metric("fechatter_delivered_bytes_total", "counter", "Bytes of these.")
STREAM_WRITES = _metric("fechatter_stream_writes_total", "counter", "Writes they took; blocks that wait are written together.")
ROOMS = _metric("fechatter_rooms", "gauge", "Workspaces with a stream here.")
GAPS = _metric("fechatter_gaps_filled_total", "counter", "Times that what the bus did not bring was read from the log.")
GAP_EVENTS = _metric("fechatter_gap_events_total", "counter", "Events read from the log that way.")
LOG_RESTARTS = _metric(
    "fechatter_log_restarts_total",
    "counter",
    "Times that a workspace's streams got `reset` because its log went back in time or was pruned.",
)

BUS_PUBLISHED = _metric("fechatter_bus_published_total", "counter", "Events and signals handed to the bus.")
BUS_LOST = _metric("fechatter_bus_lost_total", "counter", "Of these, not sent to other nodes; they read the log.")
BUS_REJECTED = _metric(
    "fechatter_bus_rejected_total", "counter", "Messages from the bus that were dropped because they were forged, repeated or too old."
)

PEOPLE_MINUTE = _metric("fechatter_people_active", "gauge", "People who asked for something here in the last minute.")
PEOPLE_DAY = _metric("fechatter_people_active_day", "gauge", "People who signed in or kept a session within 24 hours, in the database.")

DATABASE_UP = _metric("fechatter_database_up", "gauge", "1 when the database answered the last look at it in time.")
CONNECTIONS = _metric("fechatter_database_connections", "gauge", "Connections for reading, and on PostgreSQL writing, by state.", "state")
CONNECTIONS_WAITING = _metric("fechatter_database_waiting", "gauge", "Requests that wait for such a connection.")
LOG_EVENTS = _metric("fechatter_event_log_events", "gauge", "Events kept for replay, in the database.")
LOG_DROPPED = _metric("fechatter_event_log_floor", "gauge", "Events below the floors: dropped by age, in the database.")
LOG_AGE = _metric("fechatter_event_log_oldest_seconds", "gauge", "Age of the oldest event kept, in the database.")
MIGRATION = _metric("fechatter_migration", "gauge", "Number of the newest migration, in the database.")

LOOP_FAILING = _metric("fechatter_loop_failing", "gauge", "1 if the latest step of a background loop failed, else 0.", "loop")
LOOP_FAILURES = _metric("fechatter_loop_failures_total", "counter", "Steps of a background loop that failed.", "loop")
LOOP_RUNS = _metric("fechatter_loop_runs_total", "counter", "Steps of a background loop that succeeded.", "loop")
TASKS = _metric("fechatter_tasks", "gauge", "Background tasks that run.", "task")
LOOP_LAG = _metric("fechatter_loop_lag_seconds", "histogram", "How late the main loop wakes who slept, twice a second.")
LOG_LINES = _metric("fechatter_log_lines_total", "counter", "Lines logged.", "level")
LOG_LOST = _metric("fechatter_log_lines_lost_total", "counter", "Of these, lost: nobody read standard error.")
BUILD = _metric("fechatter_build_info", "gauge", "Always 1.", "version", "native", "source", "python", "engine")

CPU = _metric("process_cpu_seconds_total", "counter", "Processor time used, user and system.")
MEMORY = _metric("process_resident_memory_bytes", "gauge", "Memory held.")
FILES = _metric("process_open_fds", "gauge", "Files open.")
FILES_MOST = _metric("process_max_fds", "gauge", "Files that may be open.")
THREADS = _metric("process_threads", "gauge", "Threads.")
STARTED = _metric("process_start_time_seconds", "gauge", "When the process started, in seconds since 1970.")
COLLECTIONS = _metric("python_gc_collections_total", "counter", "Runs of the garbage collector.", "generation")
COLLECTED = _metric("python_gc_objects_collected_total", "counter", "Objects it collected.", "generation")
