"""The health of the server and its parts. Only admins see numbers and reasons."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fechatter.api.identity import claims, read, services
from fechatter.api.operations import Answer, operation
from fechatter.api.responses import json_response
from fechatter.errors import Problem, StorageError
from fechatter.loops import LoopState
from fechatter.messages.send import INTAKE_MESSAGES
from fechatter.model import Actor, Timestamp, timestamp
from fechatter.rights.table import WorkspaceAction
from fechatter.rights.workspace import may
from fechatter.storage import server
from fechatter.storage.engines.base import Transaction
from fechatter.storage.engines.errors import StorageBusy

log = logging.getLogger(__name__)

CHECK_SECONDS = 2.0
WRITABLE_SECONDS = 1.0
SLOW_BATCH_SECONDS = 2.0
STUCK_BATCH_SECONDS = 30.0
"""Longer than any batch takes: a statement is cancelled after ten seconds, and a batch is decided again only a few
times."""
BUSY_SHARE = 0.8
FAILING_SECONDS = 10.0
"""Time for which a failed batch counts, unless a later one was stored. On a quiet server, no other batch may follow."""
LATE_SECONDS = 0.5
MIN_FREE_BYTES = 64 * 1024 * 1024
"""With less free space in the data folder, a burst of messages may fill the disk."""

Part = dict[str, object]
Verdict = Literal["ok", "degraded", "down"]


class Alive(msgspec.Struct, frozen=True):
    """The process responds."""

    status: Literal["ok"]


class PartHealth(msgspec.Struct, frozen=True):
    """One part of the server. Only admins see other fields than `state`."""

    state: Verdict
    detail: str | msgspec.UnsetType = msgspec.UNSET
    latency_seconds: float | msgspec.UnsetType = msgspec.UNSET
    free_bytes: int | msgspec.UnsetType = msgspec.UNSET
    waiting: int | msgspec.UnsetType = msgspec.UNSET
    since: Timestamp | msgspec.UnsetType = msgspec.UNSET


class Health(msgspec.Struct, frozen=True):
    """`down`: the server cannot work. `degraded`: it works, but slower or only in part."""

    status: Verdict
    parts: dict[str, PartHealth]


@operation("showAlive", Answer(Alive))
async def simple(request: Request) -> Response:
    """Check whether the process is alive"""
    return json_response({"status": "ok"})


@operation("showHealth", Answer(Health), Answer(Health, 503, "The server is `down`."), token="optional")
async def full(request: Request) -> Response:
    """Check each part of the server

    Numbers and reasons are for owners and admins only.
    """
    parts = {
        "database": await _database(request),
        "writer": _writer(request),
        "disk": await _disk(request),
        "bus": _bus(request),
        "event_loop": _event_loop(request),
        **_gateway(request),
        **_loops(request),
    }
    status = _worst([str(part["state"]) for part in parts.values()])
    since = services(request).watch.parts
    parts = {name: {"since": timestamp(since.since(name, str(part["state"]))), **part} for name, part in parts.items()}
    if not await _is_admin(request):
        parts = {name: {"state": part["state"]} for name, part in parts.items()}
    return json_response({"status": status, "parts": parts}, 503 if status == "down" else 200)


def _worst(states: list[str]) -> str:
    return next((state for state in ("down", "degraded") if state in states), "ok")


async def _database(request: Request) -> Part:
    """`down` if the database cannot be read or cannot store; `degraded` if it is only slow."""
    if (lost := services(request).database.lost()) is not None:
        return {"state": "down", "detail": lost}
    started = time.perf_counter()
    try:
        await asyncio.wait_for(services(request).database.read(server.check_tables), CHECK_SECONDS)
        await _check_writable(request)
    except StorageBusy as error:
        return {"state": "degraded", "detail": str(error)}
    except (TimeoutError, StorageError) as error:
        reason = str(error) or f"no answer within {CHECK_SECONDS:.0f} s"
        log.warning("the database cannot be used: %s", reason)
        return {"state": "down", "detail": reason}
    return {"state": "ok", "latency_seconds": round(time.perf_counter() - started, 6)}


async def _check_writable(request: Request) -> None:
    """Check at most once a second, because anybody may send this request. Raises StorageError."""
    found = services(request)
    if time.monotonic() - found.watch.written_at < WRITABLE_SECONDS:
        return
    try:
        await asyncio.wait_for(found.database.check_writable(), CHECK_SECONDS)
    except TimeoutError as error:
        # The writer's part shows the reason.
        raise StorageBusy("writer_full") from error
    found.watch.written_at = time.monotonic()


def _loops(request: Request) -> dict[str, Part]:
    """The state of the background loops; a failed step is retried."""
    return {loop.name: _loop(loop) for loop in services(request).loops()}


def _loop(loop: LoopState) -> Part:
    if not loop.reason:
        return {"state": "ok", "since": timestamp(loop.since_ms)}
    return {"state": "degraded", "detail": loop.reason, "since": timestamp(loop.since_ms)}


def _writer(request: Request) -> Part:
    """Check the message writer.

    It is `degraded` if a batch takes long, many messages wait or the last batch failed. It is `down` if a batch takes
    longer than any database may.
    """
    writer = services(request).writer
    began, waiting = writer.busy_since, writer.waiting
    seconds = None if began is None else time.monotonic() - began
    took = seconds or 0.0
    slow = took > SLOW_BATCH_SECONDS or waiting > INTAKE_MESSAGES * BUSY_SHARE
    failing = writer.failing if time.monotonic() - writer.failed_at < FAILING_SECONDS else ""
    state = "down" if took > STUCK_BATCH_SECONDS else "degraded" if slow or failing else "ok"
    part: Part = {"state": state, "waiting": waiting}
    if seconds is not None:
        part["latency_seconds"] = round(seconds, 6)
    return {**part, "detail": failing} if failing else part


def _event_loop(request: Request) -> Part:
    late = services(request).watch.loop_lag.worst_seconds
    if late is None:
        return {"state": "ok"}
    return {"state": "ok" if late < LATE_SECONDS else "degraded", "latency_seconds": round(late, 6)}


def _gateway(request: Request) -> dict[str, Part]:
    """The gateway, if there is one; `degraded` if it must soon close quiet connections for new ones."""
    counters = services(request).watch.gateway
    if counters is None:
        return {}
    counted = counters()
    return {"gateway": {"state": "ok" if counted.open < counted.limit * BUSY_SHARE else "degraded"}}


def _bus(request: Request) -> Part:
    return {"state": services(request).bus.state}


async def _disk(request: Request) -> Part:
    """The data folder's disk. A full disk stops writes, but not reads."""
    folder = services(request).settings.data_dir
    try:
        free = (await asyncio.wait_for(asyncio.to_thread(shutil.disk_usage, folder), CHECK_SECONDS)).free
    except (TimeoutError, OSError) as error:
        log.warning("the data folder's disk does not respond: %r", error)
        return {"state": "degraded", "detail": type(error).__name__}
    return {"state": "ok" if free >= MIN_FREE_BYTES else "degraded", "free_bytes": free}


async def _is_admin(request: Request) -> bool:
    """Whether the token's session belonged to an admin when it was last seen; needs no database."""

    async def work(tx: Transaction, actor: Actor) -> bool:
        return may(actor.role, WorkspaceAction.SEE_HEALTH)

    try:
        return (await asyncio.wait_for(read(request, work), CHECK_SECONDS))[0]
    except Problem:
        return False
    except (TimeoutError, StorageError):
        return claims(request).session_id in services(request).watch.admins
