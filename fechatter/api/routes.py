"""Every URL of the server in one table: path, then method and endpoint.

The router tries paths with parameters in this order, so the busiest ones come first. `{…:id}` is an id; a number that
is too large for an id is 404. An entry is an `Endpoint`. Sending and streams are ASGI apps of their own, because an
`Endpoint` is too slow for sending and cannot stream.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.routing import request_response
from starlette.types import ASGIApp

from fechatter.api.counting import Guard, signed_in_person, stranger
from fechatter.api.endpoints import (
    accounts,
    audit,
    batches,
    channels,
    chats,
    documents,
    events,
    health,
    invitations,
    members,
    messages,
    metrics,
    password_resets,
    server,
    sessions,
    signals,
    users,
    versions,
    workspace,
)
from fechatter.api.middleware.requests import label
from fechatter.api.operations import Endpoint
from fechatter.api.router import Route
from fechatter.api.streams.sse import EventStream
from fechatter.api.streams.websocket import WebSocketStream
from fechatter.web import static

CLIENT = (
    "/",
    "/setup",
    "/join",
    "/reset",
    "/signin",
    "/signup",
    "/chats",
    "/chats/{rest:path}",
    "/people",
    "/people/{rest:path}",
    "/settings",
    "/settings/{rest:path}",
    "/gallery",
)
"""Paths that the web client's own router handles."""

STATIC = "/static/{path:path}"
"""The files of the web client except its HTML pages."""

TABLE: dict[str, dict[str, ASGIApp]] = {
    "/api/chat/{chat_id:id}/messages": {"POST": messages.SendMessage(), "GET": messages.index},
    "/api/chat/{chat_id:id}/messages/batch": {"POST": batches.send_many},
    "/api/chat/{chat_id:id}/messages/{message_id:id}": {
        "GET": messages.one,
        "PATCH": messages.edit,
        "DELETE": messages.delete,
    },
    "/api/chat/{chat_id:id}/messages/{message_id:id}/versions": {"GET": versions.index},
    "/events": {"GET": EventStream()},
    "/ws": {"GET": WebSocketStream()},
    "/api/stream-ticket": {"POST": events.create_ticket},
    "/api/events": {"GET": events.events},
    "/api/sync": {"GET": events.sync},
    "/api/server": {"GET": server.show},
    "/api/signup": {"POST": accounts.sign_up},
    "/api/signin": {"POST": accounts.sign_in},
    "/api/refresh": {"POST": accounts.refresh},
    "/api/logout": {"POST": accounts.log_out},
    "/api/password": {"POST": accounts.change_password},
    "/api/password-resets": {"POST": password_resets.use},
    "/api/password-resets/lookup": {"POST": password_resets.lookup},
    "/api/sessions": {"GET": sessions.index},
    "/api/sessions/{session_id:id}": {"DELETE": sessions.delete},
    "/api/users": {"GET": users.index},
    "/api/users/me": {"GET": users.show_me, "PATCH": users.update_me},
    "/api/users/me/status": {"PUT": users.set_status, "DELETE": users.clear_status},
    "/api/users/{user_id:id}": {"GET": users.show, "PATCH": users.update},
    "/api/users/{user_id:id}/password-reset": {"POST": password_resets.create},
    "/api/presence": {"PUT": signals.presence},
    "/api/presence/subscriptions": {"POST": signals.subscribe},
    "/api/workspace": {"GET": workspace.show, "PATCH": workspace.update},
    "/api/audit": {"GET": audit.index},
    "/api/invitations": {"GET": invitations.index, "POST": invitations.create},
    "/api/invitations/lookup": {"POST": invitations.lookup},
    "/api/invitations/{invitation_id:id}": {"DELETE": invitations.delete},
    "/api/chat": {"GET": chats.index, "POST": chats.create_chat},
    "/api/chat/{chat_id:id}": {"GET": chats.show, "PATCH": chats.update, "DELETE": chats.delete},
    "/api/chat/{chat_id:id}/read": {"PUT": chats.mark_read},
    "/api/chat/{chat_id:id}/typing": {"POST": signals.typing},
    "/api/chat/{chat_id:id}/preferences": {"PATCH": chats.update_preferences},
    "/api/chat/{chat_id:id}/unread": {"GET": chats.show_unread, "POST": chats.mark_unread},
    "/api/chat/{chat_id:id}/receipts": {"GET": chats.show_receipts},
    "/api/chat/{chat_id:id}/join": {"POST": chats.join},
    "/api/chat/{chat_id:id}/leave": {"POST": chats.leave},
    "/api/chat/{chat_id:id}/members": {"GET": members.index, "POST": members.add, "DELETE": members.remove},
    "/api/chat/{chat_id:id}/members/{user_id:id}": {"PATCH": members.transfer, "DELETE": members.remove_one},
    "/api/channels": {"GET": channels.index},
    **{path: {"GET": static.WebPage("index.html")} for path in CLIENT},
    "/service-worker.js": {"GET": static.WebPage("service-worker.js")},
    STATIC: {"GET": request_response(static.asset)},
    "/openapi.json": {"GET": documents.openapi},
    "/docs": {"GET": request_response(documents.docs)},
    "/docs/problems": {"GET": request_response(documents.problems)},
    "/docs/style.css": {"GET": request_response(documents.style)},
    "/health/simple": {"GET": health.simple},
    "/health": {"GET": health.full},
    "/metrics": {"GET": metrics.show},
}


OPEN = {
    *CLIENT,
    "/service-worker.js",
    "/api/invitations/lookup",
    "/api/password-resets",
    "/api/password-resets/lookup",
    "/api/refresh",
    "/api/server",
    "/api/signin",
    "/api/signup",
    "/docs",
    "/docs/problems",
    "/docs/style.css",
    "/health",
    "/health/simple",
    "/metrics",
    "/openapi.json",
    STATIC,
}
"""Paths for requests without a token. Every other path requires one."""

COUNTED = {path for path in OPEN if path.startswith("/api/")}
"""Open paths that are rate-limited by client address. Pages, health and metrics have no limit."""


WITHOUT_SECRETS = {
    label(path)
    for path in (
        "/api/chat/{chat_id:id}/messages",
        "/api/chat/{chat_id:id}/messages/{message_id:id}",
        "/api/chat/{chat_id:id}/messages/{message_id:id}/versions",
        "/api/users",
        "/api/users/me",
        "/api/users/{user_id:id}",
        "/api/workspace",
        "/api/chat/{chat_id:id}",
        "/api/chat/{chat_id:id}/members",
        "/api/channels",
    )
}
"""The routes whose responses to GET may be compressed by the gateway (docs/decisions/compression.md).

They contain no token, and no text of one chat beside that of another: the size of a compressed response reveals what
its parts have in common.
"""


def _guards(path: str, methods: Mapping[str, ASGIApp]) -> dict[str, Guard]:
    """Return the guard of each method at a path. ASGI apps of their own check and count for themselves."""
    if path in OPEN and path not in COUNTED:
        return {}
    guard: Guard = stranger if path in COUNTED else signed_in_person
    return {method: guard for method, app in methods.items() if isinstance(app, Endpoint)}


ROUTES = [Route(path, methods, _guards(path, methods)) for path, methods in TABLE.items()]
