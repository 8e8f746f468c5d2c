"""The request's outermost layer: its id, and the last place where an error becomes an answer.

Pure ASGI and allocation-poor, since every request passes it, the hot ones too.
"""

from __future__ import annotations

import itertools
import logging
import re
import secrets

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fechatter.api import problems
from fechatter.errors import MalformedRequest, Problem
from fechatter.storage.engines.base import StorageBusy, StorageFull, StorageUnavailable

log = logging.getLogger(__name__)

INCOMPLETE = MalformedRequest("The body did not come whole.", code="incomplete_body")

_SANE = re.compile(rb"[A-Za-z0-9._:-]{1,64}")


class RequestBoundary:
    """Gives each request its id, `scope["state"]["request_id"]`, returns it as X-Request-Id, renders what was raised."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._prefix = secrets.token_hex(5)
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = self._request_id(scope)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message.get("headers", ()), *state.get("quota", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except ClientDisconnect:
            log.debug("request %s: its body did not come whole", request_id)
            if not started:
                # A client that broke the rules of chunks is still there to be told; one that went away hears nothing.
                await problems.render(INCOMPLETE, request_id)(scope, receive, send_with_id)
        except Exception as error:
            if started:
                raise
            await problems.render(as_problem(error, request_id), request_id)(scope, receive, send_with_id)

    def _request_id(self, scope: Scope) -> str:
        """The client's own id when it is sane, else a new one."""
        for name, value in scope["headers"]:
            if name == b"x-request-id" and _SANE.fullmatch(value):
                return str(value, "ascii")
        return f"{self._prefix}-{next(self._numbers):x}"


def as_problem(error: Exception, request_id: str) -> Problem:
    """What is told of an error; the unexpected ones are logged and tell nothing but the request's id."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, StorageFull | StorageUnavailable):
        level = logging.DEBUG if isinstance(error, StorageBusy) else logging.ERROR
        log.log(level, "request %s: %s: %s", request_id, type(error).__name__, error)
        return problems.from_storage(error)
    log.error("request %s failed", request_id, exc_info=error)
    return Problem("Something went wrong here; the log tells what under this request's id.")
