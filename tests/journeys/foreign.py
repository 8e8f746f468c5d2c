"""Every request with which a person can try to reach another workspace, by route."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from fechatter.api.routes import CLIENT

UNKNOWN = 2**53 - 100


class WorkspaceIds(NamedTuple):
    """Ids of one workspace."""

    chat: int
    channel: int
    message: int
    user: int
    session: int
    invitation: int


NOWHERE = WorkspaceIds(*range(UNKNOWN, UNKNOWN + 6))
"""Ids that do not exist."""


class Attempt(NamedTuple):
    """A request from a person in `own` that names an object of `other`.

    Attributes:
        status: the expected status; 200 for lists, which must not contain anything of `other`.
    """

    path: str
    body: Callable[[WorkspaceIds, WorkspaceIds], Any] = lambda own, other: None
    status: int = 404


def _fixed(body: Any) -> Callable[[WorkspaceIds, WorkspaceIds], Any]:
    return lambda own, other: body


def _members(own: WorkspaceIds, other: WorkspaceIds) -> dict[str, Any]:
    return {"members": [other.user]}


def _own_member(own: WorkspaceIds, other: WorkspaceIds) -> dict[str, Any]:
    return {"members": [own.user]}


def _mixed_members(own: WorkspaceIds, other: WorkspaceIds) -> dict[str, Any]:
    return {"members": [own.user, other.user]}


def _new(chat_type: str, **more: Any) -> Callable[[WorkspaceIds, WorkspaceIds], Any]:
    return lambda own, other: {
        "chat_type": chat_type,
        "members": [own.user, other.user][chat_type == "single" :],
        **more,
    }


_MESSAGE = {"content": "from outside"}
_FOREIGN = "/api/chat/{other.chat}"
_FOREIGN_CHANNEL = "/api/chat/{other.channel}"

ATTEMPTS: dict[str, list[Attempt]] = {
    "DELETE /api/sessions/{session_id:id}": [Attempt("/api/sessions/{other.session}")],
    "GET /api/users": [Attempt("/api/users?ids={other.user}", status=200)],
    "GET /api/users/{user_id:id}": [Attempt("/api/users/{other.user}")],
    "PATCH /api/users/{user_id:id}": [
        Attempt("/api/users/{other.user}", _fixed({"disabled": True})),
        Attempt("/api/users/{other.user}", _fixed({"role": "guest"})),
    ],
    "POST /api/users/{user_id:id}/password-reset": [Attempt("/api/users/{other.user}/password-reset")],
    "PATCH /api/workspace": [
        Attempt("/api/workspace", lambda own, other: {"default_chat_id": other.channel}, 422),
        Attempt("/api/workspace", lambda own, other: {"default_chat_id": other.chat}, 422),
    ],
    "DELETE /api/invitations/{invitation_id:id}": [Attempt("/api/invitations/{other.invitation}")],
    "POST /api/presence/subscriptions": [
        Attempt("/api/presence/subscriptions", lambda own, other: {"user_ids": [other.user]}, 200)
    ],
    "POST /api/chat": [
        Attempt("/api/chat", _new("single"), 422),
        Attempt("/api/chat", _new("group"), 422),
        Attempt("/api/chat", _new("private_channel", name="lure"), 422),
    ],
    "GET /api/chat/{chat_id:id}": [Attempt(_FOREIGN), Attempt(_FOREIGN_CHANNEL)],
    "PATCH /api/chat/{chat_id:id}": [
        Attempt(path, _fixed({"description": "taken"})) for path in (_FOREIGN, _FOREIGN_CHANNEL)
    ],
    "DELETE /api/chat/{chat_id:id}": [Attempt(_FOREIGN), Attempt(_FOREIGN_CHANNEL)],
    "PUT /api/chat/{chat_id:id}/read": [
        Attempt(f"{path}/read", _fixed({"number": 1})) for path in (_FOREIGN, _FOREIGN_CHANNEL)
    ],
    "POST /api/chat/{chat_id:id}/typing": [Attempt(f"{path}/typing") for path in (_FOREIGN, _FOREIGN_CHANNEL)],
    "PATCH /api/chat/{chat_id:id}/preferences": [
        Attempt(f"{path}/preferences", _fixed({"starred": True})) for path in (_FOREIGN, _FOREIGN_CHANNEL)
    ],
    "GET /api/chat/{chat_id:id}/receipts": [Attempt(f"{path}/receipts") for path in (_FOREIGN, _FOREIGN_CHANNEL)],
    "GET /api/chat/{chat_id:id}/unread": [Attempt(f"{path}/unread") for path in (_FOREIGN, _FOREIGN_CHANNEL)],
    "POST /api/chat/{chat_id:id}/unread": [
        Attempt(f"{path}/unread", _fixed({"number": 1})) for path in (_FOREIGN, _FOREIGN_CHANNEL)
    ],
    "POST /api/chat/{chat_id:id}/join": [Attempt(f"{path}/join") for path in (_FOREIGN, _FOREIGN_CHANNEL)],
    "POST /api/chat/{chat_id:id}/leave": [Attempt(f"{path}/leave") for path in (_FOREIGN, _FOREIGN_CHANNEL)],
    "GET /api/chat/{chat_id:id}/members": [Attempt(f"{path}/members") for path in (_FOREIGN, _FOREIGN_CHANNEL)],
    "POST /api/chat/{chat_id:id}/members": [
        Attempt(f"{_FOREIGN}/members", _own_member),
        Attempt(f"{_FOREIGN_CHANNEL}/members", _members),
        Attempt("/api/chat/{own.chat}/members", _members, 422),
        Attempt("/api/chat/{own.chat}/members", _mixed_members, 422),
    ],
    "DELETE /api/chat/{chat_id:id}/members": [
        Attempt(f"{_FOREIGN}/members", _members),
        Attempt(f"{_FOREIGN}/members", _own_member),
        Attempt("/api/chat/{own.chat}/members", _members, 422),
    ],
    "PATCH /api/chat/{chat_id:id}/members/{user_id:id}": [
        Attempt(path, _fixed({"role": "owner"}))
        for path in (
            f"{_FOREIGN}/members/{{other.user}}",
            f"{_FOREIGN}/members/{{own.user}}",
            "/api/chat/{own.chat}/members/{other.user}",
        )
    ],
    "DELETE /api/chat/{chat_id:id}/members/{user_id:id}": [
        Attempt(f"{_FOREIGN}/members/{{other.user}}"),
        Attempt(f"{_FOREIGN}/members/{{own.user}}"),
        Attempt("/api/chat/{own.chat}/members/{other.user}"),
    ],
    "GET /api/chat/{chat_id:id}/messages": [
        Attempt(f"{path}/messages{place}")
        for path in (_FOREIGN, _FOREIGN_CHANNEL)
        for place in ("", "?after=0", "?around=1")
    ],
    "POST /api/chat/{chat_id:id}/messages": [
        Attempt(f"{path}/messages", _fixed(_MESSAGE)) for path in (_FOREIGN, _FOREIGN_CHANNEL)
    ],
    "POST /api/chat/{chat_id:id}/messages/batch": [],
    "GET /api/chat/{chat_id:id}/messages/{message_id:id}": [
        Attempt(f"{_FOREIGN}/messages/{{other.message}}"),
        Attempt(f"{_FOREIGN}/messages/{{own.message}}"),
        Attempt("/api/chat/{own.chat}/messages/{other.message}"),
    ],
    "GET /api/chat/{chat_id:id}/messages/{message_id:id}/versions": [
        Attempt(f"{_FOREIGN}/messages/{{other.message}}/versions"),
        Attempt("/api/chat/{own.chat}/messages/{other.message}/versions"),
    ],
    "PATCH /api/chat/{chat_id:id}/messages/{message_id:id}": [
        Attempt(f"{_FOREIGN}/messages/{{other.message}}", _fixed(_MESSAGE)),
        Attempt(f"{_FOREIGN}/messages/{{own.message}}", _fixed(_MESSAGE)),
        Attempt("/api/chat/{own.chat}/messages/{other.message}", _fixed(_MESSAGE)),
    ],
    "DELETE /api/chat/{chat_id:id}/messages/{message_id:id}": [
        Attempt(f"{_FOREIGN}/messages/{{other.message}}"),
        Attempt(f"{_FOREIGN}/messages/{{own.message}}"),
        Attempt("/api/chat/{own.chat}/messages/{other.message}"),
    ],
}
"""Attempts by method and path of the route table. A batch refuses each message separately and has its own test."""

NAMES_NOTHING = {
    *(f"GET {path}" for path in CLIENT),
    "GET /api/audit",
    "GET /api/channels",
    "GET /api/chat",
    "GET /api/events",
    "GET /api/invitations",
    "GET /api/server",
    "GET /api/sessions",
    "GET /api/sync",
    "GET /api/users/me",
    "GET /api/workspace",
    "GET /docs",
    "GET /docs/problems",
    "GET /docs/style.css",
    "GET /ws",
    "POST /api/stream-ticket",
    "GET /events",
    "GET /health",
    "GET /health/simple",
    "GET /metrics",
    "GET /openapi.json",
    "GET /service-worker.js",
    "GET /static/{path:path}",
    "PATCH /api/users/me",
    "PUT /api/presence",
    "PUT /api/users/me/status",
    "DELETE /api/users/me/status",
    "POST /api/invitations",
    "POST /api/invitations/lookup",
    "POST /api/password-resets",
    "POST /api/password-resets/lookup",
    "POST /api/logout",
    "POST /api/password",
    "POST /api/refresh",
    "POST /api/signin",
    "POST /api/signup",
}
"""Routes that take no id."""
