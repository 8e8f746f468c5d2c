"""The values of `/metrics`, read at the time of the request. `telemetry/names.py` declares every name."""

from __future__ import annotations

import asyncio
import logging
import platform
import time
from collections import Counter
from collections.abc import Iterator

from fechatter import __version__
from fechatter.api.middleware.requests import Requests
from fechatter.errors import StorageError
from fechatter.model import UserId
from fechatter.native import BUILD, SOURCE_HASH
from fechatter.services import Services
from fechatter.storage import figures
from fechatter.telemetry import gateway_readings, logs, names, resources
from fechatter.telemetry.exposition import Reading, unlabeled, unlabeled_fields
from fechatter.telemetry.measures import Histogram
from fechatter.telemetry.watch import Answered

log = logging.getLogger(__name__)

FIGURES_SECONDS = 2.0
KEPT_SECONDS = 10.0
SEND = ("/api/chat/{chat_id}/messages", "POST")
"""Route and method of a send."""


class DatabaseFigures:
    """The figures that need a query. They are read at most every ten seconds, for at most two seconds."""

    def __init__(self) -> None:
        self._found: figures.Figures | None = None
        self._asked_at = float("-inf")
        self._asking = asyncio.Lock()

    async def get(self, services: Services) -> figures.Figures | None:
        """Return the figures, or None if the database does not respond."""
        async with self._asking:
            if time.monotonic() - self._asked_at > KEPT_SECONDS:
                self._found = await _ask(services)
                self._asked_at = time.monotonic()
            return self._found


async def _ask(services: Services) -> figures.Figures | None:
    try:
        return await asyncio.wait_for(services.database.read(figures.read), FIGURES_SECONDS)
    except (TimeoutError, StorageError) as error:
        log.warning("the database did not respond for the metrics: %r", error)
        return None


def read_all(services: Services, requests: Requests, found: figures.Figures | None) -> Iterator[Reading]:
    """Yield every metric once."""
    counted = None if services.watch.gateway is None else services.watch.gateway()
    answered = Answered() if counted is None else counted.answered
    yield from _requests(requests, answered, services.watch.senders())
    yield from gateway_readings.readings(counted)
    yield from _responses(services)
    yield from _messages(services, answered)
    yield from _queues(services)
    yield from _streams(services)
    yield from _database(services, found)
    yield from _process(services)


def _requests(requests: Requests, answered: Answered, senders: list[UserId]) -> Iterator[Reading]:
    """Yield the requests that the app answered, and those that the gateway answered itself."""
    counts, seconds = Counter(requests.counts), dict(requests.seconds)
    for each in answered.routes:
        series = each.route, each.method
        counts.update({(*series, status): count for status, count in each.statuses.items()})
        seconds[series] = seconds.get(series, Histogram()).plus(each.times, each.seconds)
    yield Reading(
        names.REQUESTS,
        {(route, method, str(status)): count for (route, method, status), count in counts.items()},
    )
    yield Reading(names.REQUEST_SECONDS, seconds)
    problems = requests.problems + Counter(answered.codes)
    yield Reading(names.PROBLEMS, {(code,): count for code, count in problems.items()})
    yield Reading(names.LIMITED, {(limit,): count for limit, count in requests.limited.items()})
    yield unlabeled(names.PEOPLE_MINUTE, requests.people(time.perf_counter(), senders))


def _responses(services: Services) -> Iterator[Reading]:
    """Yield the counts of the gateway's cache, or zeros."""
    kept = services.responses.native
    hits, misses, purged, entries, size_bytes, grants = kept.counts() if kept is not None else (0,) * 6
    yield Reading(names.RESPONSES, {("hit",): hits, ("miss",): misses})
    yield unlabeled(names.RESPONSES_PURGED, purged)
    yield unlabeled(names.RESPONSES_KEPT, entries)
    yield unlabeled(names.RESPONSES_BYTES, size_bytes)
    yield unlabeled(names.GRANTS, grants)


def _messages(services: Services, answered: Answered) -> Iterator[Reading]:
    writer, seconds = services.writer, services.sender.seconds
    for each in answered.routes:
        if (each.route, each.method) == SEND:
            seconds = seconds.plus(each.times, each.seconds)
    yield unlabeled(names.MESSAGES, writer.stored)
    yield unlabeled(names.SEND_SECONDS, seconds)
    yield unlabeled(names.BATCH_ROWS, writer.batch_rows)
    yield unlabeled(names.BATCH_SECONDS, writer.batch_seconds)
    yield unlabeled(names.COMMIT_SECONDS, writer.commit_seconds)
    yield unlabeled(names.BATCHES_FAILED, writer.failed)


def _queues(services: Services) -> Iterator[Reading]:
    queues = services.queues()
    yield Reading(names.QUEUE_DEPTH, {(queue.name, queue.unit): queue.depth() for queue in queues})
    yield Reading(names.QUEUE_LIMIT, {(queue.name, queue.unit): queue.bound for queue in queues})


def _streams(services: Services) -> Iterator[Reading]:
    hub, counts = services.hub, services.watch.streams
    writes, blocks, size_bytes = hub.native.written()
    yield unlabeled(names.STREAMS, hub.listeners)
    yield unlabeled(names.LIVE_WORKSPACES, hub.workspaces)
    yield unlabeled(names.STREAMS_OPENED, counts.opened)
    yield unlabeled(names.PRESENCE_SIGNALS, services.presence.sent)
    yield Reading(
        names.STREAMS_CLOSED, {(reason,): count for reason, count in (counts.closed + hub.notices.closed).items()}
    )
    yield unlabeled(names.DELIVERED, counts.blocks + blocks)
    yield unlabeled(names.DELIVERED_BYTES, counts.bytes + size_bytes)
    yield unlabeled(names.STREAM_WRITES, counts.writes + writes)
    yield unlabeled(names.GAPS, hub.gaps.filled)
    yield unlabeled(names.GAP_EVENTS, hub.gaps.events)
    yield unlabeled(names.LOG_RESTARTS, hub.gaps.restarts)
    yield unlabeled(names.BUS_PUBLISHED, services.publisher.published)
    yield unlabeled(names.BUS_LOST, services.bus.dropped)
    yield unlabeled(names.BUS_REJECTED, services.bus.rejected)


def _database(services: Services, found: figures.Figures | None) -> Iterator[Reading]:
    use = services.database.connections()
    yield Reading(names.CONNECTIONS, {("busy",): use.busy, ("idle",): use.idle})
    yield unlabeled(names.CONNECTIONS_WAITING, use.waiting)
    yield unlabeled(names.DATABASE_UP, found is not None)
    yield from unlabeled_fields(
        found,
        (
            (names.LOG_EVENTS, "log_events"),
            (names.LOG_DROPPED, "log_dropped"),
            (names.LOG_AGE, "log_age_seconds"),
            (names.MIGRATION, "migration"),
            (names.PEOPLE_DAY, "people_day"),
        ),
    )


def _process(services: Services) -> Iterator[Reading]:
    running = Counter(services.tasks.names())
    yield Reading(names.TASKS, {(name,): count for name, count in running.items()})
    loops = services.loops()
    yield Reading(names.LOOP_FAILING, {(loop.name,): loop.reason != "" for loop in loops if loop.has_run})
    yield Reading(names.LOOP_FAILURES, {(loop.name,): loop.failures for loop in loops})
    yield Reading(names.LOOP_RUNS, {(loop.name,): loop.runs for loop in loops})
    yield unlabeled(names.LOOP_LAG, services.watch.loop_lag.seconds)
    yield Reading(names.LOG_LINES, {(level,): count for level, count in logs.counted().items()})
    yield unlabeled(names.LOG_LOST, logs.dropped())
    build = (__version__, BUILD, SOURCE_HASH[:12], platform.python_version(), services.database.engine)
    yield Reading(names.BUILD, {build: 1})
    yield from resources.readings()
