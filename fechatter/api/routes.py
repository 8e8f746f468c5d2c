"""Every URL of the server in one table: path, then method and endpoint.

The router tries the lines in this order, so the busiest stand first. `{…:id}` is an id; a number that can be none is
404. What stands there is an `Endpoint`, or an ASGI app of its own where that is too slow or too little (the send path, streams).
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, Match, Route, request_response
from starlette.types import ASGIApp, Receive, Scope, Send

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
    users,
    versions,
    workspace,
)
from fechatter.api.middleware.requests import UNMATCHED, label
from fechatter.api.operations import Endpoint
from fechatter.api.streams.sse import EventStream
from fechatter.errors import MethodNotAllowed, NotFound
from fechatter.model import MAX_ID
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
"""Addresses that the web client's own router answers."""

TABLE: dict[str, dict[str, ASGIApp]] = {
    "/api/chat/{chat_id:id}/messages": {"POST": messages.SendMessage(), "GET": messages.index},
    "/api/chat/{chat_id:id}/messages/batch": {"POST": batches.send_many},
    "/api/chat/{chat_id:id}/messages/{message_id:id}": {"GET": messages.one, "PATCH": messages.edit, "DELETE": messages.delete},
    "/api/chat/{chat_id:id}/messages/{message_id:id}/versions": {"GET": versions.index},
    "/events": {"GET": EventStream()},
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
    "/api/users/{user_id:id}": {"GET": users.show, "PATCH": users.update},
    "/api/users/{user_id:id}/password-reset": {"POST": password_resets.create},
    "/api/workspace": {"GET": workspace.show, "PATCH": workspace.update},
    "/api/audit": {"GET": audit.index},
    "/api/invitations": {"GET": invitations.index, "POST": invitations.create},
    "/api/invitations/lookup": {"POST": invitations.lookup},
    "/api/invitations/{invitation_id:id}": {"DELETE": invitations.delete},
    "/api/chat": {"GET": chats.index, "POST": chats.create_chat},
    "/api/chat/{chat_id:id}": {"GET": chats.show, "PATCH": chats.update, "DELETE": chats.delete},
    "/api/chat/{chat_id:id}/read": {"PUT": chats.mark_read},
    "/api/chat/{chat_id:id}/preferences": {"PATCH": chats.update_preferences},
    "/api/chat/{chat_id:id}/unread": {"GET": chats.show_unread, "POST": chats.mark_unread},
    "/api/chat/{chat_id:id}/join": {"POST": chats.join},
    "/api/chat/{chat_id:id}/leave": {"POST": chats.leave},
    "/api/chat/{chat_id:id}/members": {"GET": members.index, "POST": members.add, "DELETE": members.remove},
    "/api/chat/{chat_id:id}/members/{user_id:id}": {"PATCH": members.transfer, "DELETE": members.remove_one},
    "/api/channels": {"GET": channels.index},
    **{path: {"GET": static.Page("index.html")} for path in CLIENT},
    "/service-worker.js": {"GET": static.Page("service-worker.js")},
    "/static/{path:path}": {"GET": request_response(static.asset)},
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
    "/static/{path:path}",
}
"""Paths that answer strangers; every other one wants a good token first of all."""

COUNTED = {path for path in OPEN if path.startswith("/api/")}
"""Those that are counted for the stranger's address; pages, and what tells operators how the server is, are always answered."""


class IdConvertor(Convertor[int]):
    """An id in a path: 1 to 16 digits."""

    regex = "[0-9]{1,16}"

    def convert(self, value: str) -> int:
        """Raises NotFound for a number that can be no id."""
        if int(value) > MAX_ID:
            raise NotFound()
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("id", IdConvertor())


class ByMethod:
    """The ASGI app of one path: hands over to the method's endpoint, or tells which methods there are.

    A stranger's body is not even looked at where one has to be signed in.
    """

    def __init__(self, methods: Mapping[str, ASGIApp], guard: Guard | None = None, path: str = UNMATCHED) -> None:
        self._route = label(path)
        self._apps = dict(methods)
        self._guard = guard
        if "GET" in self._apps:
            self._apps["HEAD"] = self._apps["GET"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises MethodNotAllowed."""
        scope["state"]["route"] = self._route
        app = self._apps.get(scope["method"])
        if app is None:
            raise MethodNotAllowed(allow=sorted(self._apps))
        if self._guard is None or not isinstance(app, Endpoint):  # apps of their own check and count for themselves
            await app(scope, receive, send)
            return
        with self._guard(HTTPConnection(scope)):
            await app(scope, receive, send)


def _guard(path: str) -> Guard | None:
    if path in COUNTED:
        return stranger
    return None if path in OPEN else signed_in_person


class Nowhere(BaseRoute):
    """What is at every other path, and where the target is no path (`OPTIONS *`). As the last route it also keeps the
    router from redirecting by the Host header."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return (Match.FULL if scope["type"] == "http" else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises NotFound."""
        raise NotFound


ROUTES = [
    *(Route(path, ByMethod(methods, _guard(path), path)) for path, methods in TABLE.items()),
    Nowhere(),
]
