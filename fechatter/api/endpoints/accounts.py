"""Signing up, in and out, refreshing, changing the password."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fechatter.accounts import people, sessions, signin, signup
from fechatter.accounts.access import Access, SignedIn
from fechatter.accounts.texts import slug_of
from fechatter.api import clients, cookies
from fechatter.api.bodies import Body, read_body
from fechatter.api.identity import read, services, write
from fechatter.api.responses import json_response, no_content
from fechatter.auth.refresh import RefreshTokens, refused
from fechatter.auth.tokens import Claims
from fechatter.errors import Invalid
from fechatter.model import Actor, User, Workspace, WorkspaceId
from fechatter.storage import workspaces
from fechatter.storage.engines.base import Transaction


class Refresh(Body, frozen=True):
    """The token itself, or the slug of the workspace whose cookie holds it."""

    refresh_token: str | None = None
    workspace: str | None = None


class SessionAnswer(msgspec.Struct, frozen=True):
    """Somebody is signed in; `refresh_token` is left out when it goes into a cookie."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str | msgspec.UnsetType
    user: User
    workspace: Workspace


async def sign_up(request: Request) -> Response:
    """POST /api/signup."""
    wanted = await read_body(request, signup.SignUp)
    signed_in = await signup.sign_up(_access(request), wanted, clients.device(request, services(request).settings))
    return _session(request, signed_in, 201)


async def sign_in(request: Request) -> Response:
    """POST /api/signin."""
    wanted = await read_body(request, signin.SignIn)
    signed_in = await signin.sign_in(_access(request), wanted, clients.device(request, services(request).settings))
    return _session(request, signed_in)


async def refresh(request: Request) -> Response:
    """POST /api/refresh."""
    wanted = await read_body(request, Refresh)
    if (wanted.refresh_token is None) == (wanted.workspace is None):
        raise Invalid.field("/refresh_token", "missing", "Either refresh_token, or workspace and its cookie.")
    address = clients.address(request, services(request).settings)
    if wanted.refresh_token is not None:
        return _session(request, await sessions.refresh(_access(request), wanted.refresh_token, address))
    clients.check_same_site(request, services(request).settings)
    workspace_id = await _workspace_id(request, wanted.workspace or "")
    token = request.cookies.get(cookies.name(workspace_id), "")
    return _session(request, await sessions.refresh(_access(request), token, address, workspace_id))


async def _workspace_id(request: Request, slug: str) -> WorkspaceId:
    """Raises Unauthorized, for no workspace as for no cookie."""
    workspace = await services(request).database.read(lambda tx: workspaces.by_slug(tx, slug_of(slug)))
    if workspace is None:
        raise refused()
    return workspace.id


async def log_out(request: Request) -> Response:
    """POST /api/logout."""

    async def work(tx: Transaction, actor: Actor) -> WorkspaceId:
        await sessions.end_own(tx, actor, actor.session_id)
        return actor.workspace_id

    workspace_id = await write(request, work)
    return no_content({"set-cookie": cookies.removing(request, services(request).settings, workspace_id)})


async def change_password(request: Request) -> Response:
    """POST /api/password."""
    wanted = await read_body(request, signin.PasswordChange)
    account, _ = await read(request, people.own_account)
    password_hash = await signin.prepare_password(_access(request), account, wanted)
    await write(request, lambda tx, actor: signin.change_password(tx, actor, account, password_hash))
    return no_content()


def _access(request: Request) -> Access:
    have = services(request)
    refresh_tokens = RefreshTokens(have.secrets.signing)
    return Access(have.settings, have.database, have.secrets, have.passwords, refresh_tokens, have.limits)


def _session(request: Request, signed_in: SignedIn, status: int = 200) -> Response:
    """The Session, its refresh token in a cookie when our web client asks."""
    access, account, session = _access(request), signed_in.account, signed_in.session
    claims = Claims(account.id, account.workspace_id, session.id)
    token = access.refresh_tokens.make(session.id, session.generation, session.salt)
    in_cookie = clients.is_browser(request)
    answer = SessionAnswer(
        access_token=services(request).tokens.sign(claims),
        token_type="Bearer",
        expires_in=access.settings.token_expiry_seconds,
        refresh_token=msgspec.UNSET if in_cookie else token,
        user=people.view(Actor(account.id, account.workspace_id, session.id, account.role), account),
        workspace=signed_in.workspace,
    )
    headers: dict[str, Any] = {}
    if in_cookie:
        headers["set-cookie"] = cookies.setting(request, access.settings, account.workspace_id, token)
    return json_response(answer, status, headers=headers)
