"""The refresh token as a browser's cookie: one for each server and workspace. Scripts cannot read it, and the browser
sends it to one path only.

Browsers share cookies among all ports of a host, so the name contains the server's id: two servers on one host do not
overwrite each other's cookies.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from fechatter.api.clients import is_secure
from fechatter.api.identity import services
from fechatter.model import WorkspaceId

PATH = "/api/refresh"
DAY_SECONDS = 24 * 60 * 60


def read(request: Request, workspace_id: WorkspaceId) -> str:
    """Return the refresh token of the workspace's cookie; empty if there is none."""
    found = request.cookies.get(_name(request, workspace_id))
    # A browser that signed in before server ids were part of the name still has the old cookie.
    return found or request.cookies.get(_name_without_server(workspace_id), "")


def keep(request: Request, answer: Response, workspace_id: WorkspaceId, token: str) -> None:
    """Store the token in the browser, and remove the old cookie that it replaces."""
    _set(request, answer, _name(request, workspace_id), token, services(request).settings.session_days * DAY_SECONDS)
    _remove_replaced(request, answer, workspace_id)


def remove(request: Request, answer: Response, workspace_id: WorkspaceId) -> None:
    """Remove the token from the browser."""
    _set(request, answer, _name(request, workspace_id), "", 0)


def _name(request: Request, workspace_id: WorkspaceId) -> str:
    return f"fechatter_refresh_{services(request).secrets.server_id}_{workspace_id}"


def _name_without_server(workspace_id: WorkspaceId) -> str:
    return f"fechatter_refresh_{workspace_id}"


def _remove_replaced(request: Request, answer: Response, workspace_id: WorkspaceId) -> None:
    """Remove the old cookie only if this request used it; another server on this host may still need it otherwise."""
    old = _name_without_server(workspace_id)
    if old in request.cookies and _name(request, workspace_id) not in request.cookies:
        _set(request, answer, old, "", 0)


def _set(request: Request, answer: Response, name: str, value: str, seconds: int) -> None:
    secure = "; Secure" if is_secure(request, services(request).settings) else ""
    answer.headers.append(
        "set-cookie", f"{name}={value}; Path={PATH}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    )
