"""The request's outermost layer: its id, and the last place where an error becomes an answer.

Pure ASGI and allocation-poor, since every request passes it, the hot ones too.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Iterator
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fechatter.api import problems
from fechatter.api.middleware.access_log import write_line
from fechatter.api.middleware.headers import SecurityHeaders, with_cors
from fechatter.api.middleware.requests import Requests
from fechatter.errors import MalformedRequest, Problem, StorageError, TooManyRequests, Unavailable
from fechatter.settings import Settings
from fechatter.storage.engines.errors import RowRefused, StorageBusy, UniqueViolation
from fechatter.telemetry.faults import describe_error

log = logging.getLogger(__name__)

INCOMPLETE = MalformedRequest("The body did not come whole.", code="incomplete_body")
HOST = MalformedRequest("One Host header, no more and no less.", code="malformed_host")

GOLDEN = 0x9E37_79B9_7F4A_7C15
_SANE = re.compile(rb"[A-Za-z0-9._:-]{1,64}")


class BrokenOff(Exception):
    """An answer that had begun cannot be ended; the log has the reason under the request's id."""


def request_ids() -> Iterator[str]:
    """An endless series of ids of 16 characters. Any billion ids in a row differ in their first 8 characters, which
    people see.

    Multiples of the golden ratio, modulo 2^64, keep the greatest distance from one another (Knuth, The Art of Computer Programming,
    volume 3, section 6.4).
    """
    value = secrets.randbits(64)
    while True:
        value = (value + GOLDEN) & 0xFFFF_FFFF_FFFF_FFFF
        yield f"{value:016x}"


class RequestBoundary:
    """Gives each request its id, `scope["state"]["request_id"]`, returns it as X-Request-Id, counts, renders what was raised.

    In `scope["state"]` too: whether it names `one_host`, `status` once an answer has begun, `route` and `claims` as far as they are known.
    """

    def __init__(self, app: ASGIApp, requests: Requests, settings: Settings) -> None:
        self._app = app
        self._requests = requests
        self._settings = settings
        self._security = SecurityHeaders(settings)
        self._inner = with_cors(self._answer, settings.cors_origins)
        self._ids = request_ids()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        state = scope.setdefault("state", {})
        request_id = state["request_id"] = self._read_head(scope, state)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                status = state["status"] = message["status"]
                now = time.perf_counter()
                self._requests.answered(scope, status, now, now - began)
                message["headers"] = self._security.added(message.get("headers", ()), state.get("quota", ()), request_id)
            await send(message)

        try:
            await self._inner(scope, receive, send_with_headers)
        finally:
            if self._settings.access_log:
                write_line(scope, self._settings, time.perf_counter() - began)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The app's answer, or a refusal for what it raised."""
        state = scope["state"]
        request_id = state["request_id"]
        if not state["one_host"]:
            # Of two, whoever stands in front may heed the other.
            await self._refuse(HOST, scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            # Only the end of the server cancels a request.
            if "status" not in state:
                await self._refuse(Unavailable("The server is stopping.", code="stopping"), scope, receive, send)
            raise
        except ClientDisconnect:
            log.debug("request %s: its body did not come whole", request_id, extra={"request_id": request_id})
            if "status" not in state:
                # A client that broke the rules of chunks is still there to be told; one that went away hears nothing.
                await self._refuse(INCOMPLETE, scope, receive, send)
        except Exception as error:
            if "status" in state:
                log.error("the answer to request %s broke off", request_id, exc_info=error, extra={"request_id": request_id})
                # The server below prints what it is raised: nothing of what was in the error.
                raise BrokenOff(request_id) from None
            await self._refuse(as_problem(error, request_id), scope, receive, send)

    async def _refuse(self, problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
        self._requests.refused(problem)
        if isinstance(problem, TooManyRequests) and problem.policy is not None:
            # Told of two limits, a client may take either for the one it met.
            scope["state"].pop("quota", None)
        await problems.render(problem, scope["state"]["request_id"])(scope, receive, send)

    def _read_head(self, scope: Scope, state: dict[str, Any]) -> str:
        """The client's own id when it is sane, else a new one; and on the way, whether one host is named."""
        given, hosts = None, []
        for name, value in scope["headers"]:
            if name == b"host":
                hosts.append(value)
            elif name == b"x-request-id" and given is None and _SANE.fullmatch(value):
                given = str(value, "ascii")
        # Granian gives an empty one to who sent none; HTTP/1.0 needs none.
        state["one_host"] = len(hosts) == 1 and (hosts[0] != b"" or scope["http_version"] != "1.1")
        return given or next(self._ids)


def as_problem(error: Exception, request_id: str) -> Problem:
    """What is told of an error; the unexpected ones are logged and tell nothing but the request's id."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, StorageError):
        level = logging.DEBUG if isinstance(error, StorageBusy) else logging.ERROR
        # These errors are unexpected here, so the log shows their traceback.
        trace = error if isinstance(error, UniqueViolation | RowRefused) else None
        log.log(level, "request %s: %s", request_id, describe_error(error), exc_info=trace, extra={"request_id": request_id})
        return problems.from_storage(error)
    log.error("request %s failed", request_id, exc_info=error, extra={"request_id": request_id})
    return Problem("Something went wrong here; the log tells what under this request's id.")
