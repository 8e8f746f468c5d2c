"""The refresh token as a browser's cookie: one for each workspace, out of scripts' reach, sent to one path only."""

from __future__ import annotations

from starlette.requests import Request

from fechatter.api.clients import is_secure
from fechatter.model import WorkspaceId
from fechatter.settings import Settings

PATH = "/api/refresh"
DAY_SECONDS = 24 * 60 * 60


def name(workspace_id: WorkspaceId) -> str:
    """The workspace's cookie."""
    return f"fechatter_refresh_{workspace_id}"


def setting(request: Request, settings: Settings, workspace_id: WorkspaceId, token: str) -> str:
    """The Set-Cookie header that keeps the token."""
    return _header(request, settings, workspace_id, token, settings.session_days * DAY_SECONDS)


def removing(request: Request, settings: Settings, workspace_id: WorkspaceId) -> str:
    """The Set-Cookie header that takes the token away."""
    return _header(request, settings, workspace_id, "", 0)


def _header(request: Request, settings: Settings, workspace_id: WorkspaceId, value: str, seconds: int) -> str:
    secure = "; Secure" if is_secure(request, settings) else ""
    return f"{name(workspace_id)}={value}; Path={PATH}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
