"""The outermost layer of every request: assigns its id and turns errors into responses.

Every request passes it, so it is pure ASGI and allocates little.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fechatter import native
from fechatter.api import problems
from fechatter.api.middleware.access_log import write_line
from fechatter.api.middleware.headers import SecurityHeaders, with_cors
from fechatter.api.middleware.requests import Requests
from fechatter.errors import MalformedRequest, Problem, StorageError, TooManyRequests, Unavailable
from fechatter.settings import Settings
from fechatter.storage.engines.errors import RowRefused, StorageBusy, UniqueViolation
from fechatter.telemetry.faults import describe_error

log = logging.getLogger(__name__)

INCOMPLETE = MalformedRequest("The body is incomplete.", code="incomplete_body")
FRAMING = MalformedRequest("The head of the request is malformed.", code="malformed_head")
HOST = MalformedRequest("A request needs exactly one Host header.", code="malformed_host")


class BrokenOff(Exception):
    """A response that had begun cannot be completed. The log has the reason under the request's id."""


class RequestBoundary:
    """Assigns the request id (`scope["state"]["request_id"]`, X-Request-Id), counts requests and renders errors.

    `scope["state"]` also has `status` once a response has begun, and `route` and `claims` once they are known.
    `one_host` is true if there is exactly one Host header. `one_framing`: the length of the body is unambiguous.
    """

    def __init__(self, app: ASGIApp, requests: Requests, settings: Settings) -> None:
        self._app = app
        self._requests = requests
        self._settings = settings
        self._security = SecurityHeaders(settings)
        self._inner = with_cors(self._answer, settings.cors_origins)
        self._ids = native.RequestIds()

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
                message["headers"] = self._security.added(
                    message.get("headers", ()), state.get("quota", ()), request_id
                )
            await send(message)

        try:
            await self._inner(scope, receive, send_with_headers)
        finally:
            if self._settings.access_log:
                write_line(scope, self._settings, time.perf_counter() - began)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the app's response, or the response for the error that it raises."""
        state = scope["state"]
        request_id = state["request_id"]
        if not state["one_host"]:
            # If there are two Host headers, a proxy may have used the other one.
            await self._refuse(HOST, scope, receive, send)
            return
        if not state["one_framing"]:
            # A proxy may have used the other one, and sent the rest of the body as a request of somebody else.
            await self._refuse(FRAMING, scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            # Requests are cancelled only when the server stops.
            if "status" not in state:
                await self._refuse(Unavailable("The server is stopping.", code="stopping"), scope, receive, send)
            raise
        except ClientDisconnect:
            log.debug("request %s: its body is incomplete", request_id, extra={"request_id": request_id})
            if "status" not in state:
                # A client that sent invalid chunks is still connected and gets the response.
                await self._refuse(INCOMPLETE, scope, receive, send)
        except Exception as error:
            if "status" in state:
                log.error(
                    "the response to request %s was not completed",
                    request_id,
                    exc_info=error,
                    extra={"request_id": request_id},
                )
                # Granian logs exceptions that propagate, so drop the cause.
                raise BrokenOff(request_id) from None
            await self._refuse(as_problem(error, request_id), scope, receive, send)

    async def _refuse(self, problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
        self._requests.refused(problem)
        if isinstance(problem, TooManyRequests) and problem.policy is not None:
            # The response shows one limit only: the one that was exceeded.
            scope["state"].pop("quota", None)
        await problems.render(problem, scope["state"]["request_id"])(scope, receive, send)

    def _read_head(self, scope: Scope, state: dict[str, Any]) -> str:
        """Return the client's own id if it is valid, or a new one. In the same pass, count Host and framing headers."""
        given, hosts, framings = None, [], 0
        for name, value in scope["headers"]:
            if name == b"host":
                hosts.append(value)
            elif name == b"x-request-id" and given is None and native.is_request_id(value):
                given = str(value, "ascii")
            elif name == b"content-length":
                framings += 1
            elif name == b"transfer-encoding":
                # The gateway refuses codings before `chunked` too.
                framings += 1 if value.lower() == b"chunked" else 2
        # Granian adds an empty Host header if there is none. HTTP/1.0 needs none.
        state["one_framing"] = framings <= 1
        state["one_host"] = len(hosts) == 1 and (hosts[0] != b"" or scope["http_version"] != "1.1")
        return given or next(self._ids)


def as_problem(error: Exception, request_id: str) -> Problem:
    """Return the problem for an error. An unexpected error is logged, and its response shows only the request's id."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, StorageError):
        level = logging.DEBUG if isinstance(error, StorageBusy) else logging.ERROR
        # These errors are unexpected here, so the log shows their traceback.
        trace = error if isinstance(error, UniqueViolation | RowRefused) else None
        log.log(
            level, "request %s: %s", request_id, describe_error(error), exc_info=trace, extra={"request_id": request_id}
        )
        return problems.from_storage(error)
    log.error("request %s failed", request_id, exc_info=error, extra={"request_id": request_id})
    return Problem("An unexpected error occurred. The server's log has the reason under this request id.")
