"""The access log: one line for each request, with the route's template but never the path or the query.

The setting `access_log` turns it on.
"""

from __future__ import annotations

import logging

from starlette.requests import Request
from starlette.types import Scope

from fechatter.api import clients
from fechatter.api.middleware.requests import METHODS, UNMATCHED
from fechatter.settings import Settings

log = logging.getLogger("fechatter.access")


def write_line(scope: Scope, settings: Settings, seconds: float) -> None:
    """Log a request or a stream that has ended. Status 0 means that the client left before the response."""
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
