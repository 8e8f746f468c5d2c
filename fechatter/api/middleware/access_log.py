"""One line for each request, where the setting `access_log` asks for it: the route's template, never the path or the query."""

from __future__ import annotations

import logging

from starlette.requests import Request
from starlette.types import Scope

from fechatter.api import clients
from fechatter.api.middleware.requests import METHODS, UNMATCHED
from fechatter.settings import Settings

log = logging.getLogger("fechatter.access")


def write_line(scope: Scope, settings: Settings, seconds: float) -> None:
    """The line of a request that has ended, a stream's too; status 0 means that nobody was there to be answered."""
    state = scope["state"]
    method = scope["method"] if scope["method"] in METHODS else "other"
    route, status = state.get("route", UNMATCHED), state.get("status", 0)
    fields: dict[str, object] = {
        "request_id": state["request_id"],
        "method": method,
        "route": route,
        "status": status,
        "seconds": round(seconds, 6),
        "address": clients.address(Request(scope), settings),
    }
    if (who := state.get("claims")) is not None:
        fields |= {"user_id": who.user_id, "workspace_id": who.workspace_id}
    log.info("%s %s %d", method, route, status, extra=fields)
