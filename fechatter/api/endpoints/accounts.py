"""Signing up, signing in and out, refreshing a session, changing the password."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fechatter.accounts import people, sessions, signin, signup
from fechatter.accounts.access import Access, SignedIn
from fechatter.accounts.texts import slug_of
from fechatter.api import clients, cookies, sharing
from fechatter.api.bodies import Body
from fechatter.api.identity import read, services, write
from fechatter.api.operations import Answer, operation
from fechatter.api.responses import json_response, no_content
from fechatter.auth.pace import CHANGE_ROWS
from fechatter.auth.refresh import RefreshTokens, refused
from fechatter.auth.tokens import Claims
from fechatter.errors import Invalid
from fechatter.model import Actor, User, Workspace, WorkspaceId
from fechatter.storage import workspaces
from fechatter.storage.engines.base import Transaction


class Refresh(Body, frozen=True):
    """Send `refresh_token`. Our own web client sends the slug of the workspace instead, and the token in its cookie."""

    refresh_token: Annotated[str | None, msgspec.Meta(examples=["90.3.fT1c…"])] = None
    workspace: Annotated[
        str | None, msgspec.Meta(description="A slug; only from our own web client, with its cookie.")
    ] = None


class SessionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A session. `refresh_token` is absent if it is sent as a cookie."""

    access_token: Annotated[str, msgspec.Meta(examples=["eyJhbGciOi…"])]
    token_type: Annotated[str, msgspec.Meta(examples=["Bearer"])]
    expires_in: Annotated[int, msgspec.Meta(description="Seconds.", examples=[900])]
    refresh_token: Annotated[str, msgspec.Meta(examples=["90.3.fT1c…"])] | msgspec.UnsetType = msgspec.UNSET
    user: User
    workspace: Workspace


@operation(
    "signUp",
    Answer(SessionAnswer, 201, headers=("Set-Cookie",)),
    refuses=(
        "signup_closed",
        "setup_token_refused",
        "invitation_refused",
        "invitation_revoked",
        "invitation_used",
        "invitation_expired",
        "workspace_taken",
        "email_taken",
        "too_many_attempts",
        "sign_in_busy",
    ),
    headers=("X-Requested-With",),
)
async def sign_up(request: Request, wanted: signup.SignUp) -> Response:
    """Create an account, and sign in

    With `invitation`, the account is in the workspace of the invitation. With `workspace`, it is in a new workspace,
    whose slug is derived from the name. The first workspace needs the `setup_token` that the server prints at start.
    Later ones need a server with open sign-up.
    """
    sharing.count(request, CHANGE_ROWS)
    signed_in = await signup.sign_up(access_of(request), wanted, clients.device(request, services(request).settings))
    return session_response(request, signed_in, 201)


@operation(
    "signIn",
    Answer(SessionAnswer, headers=("Set-Cookie",)),
    refuses=("wrong_credentials", "account_disabled", "workspace_required", "too_many_attempts", "sign_in_busy"),
    headers=("X-Requested-With",),
)
async def sign_in(request: Request, wanted: signin.SignIn) -> Response:
    """Sign in with e-mail address and password"""
    sharing.count(request, CHANGE_ROWS)
    signed_in = await signin.sign_in(access_of(request), wanted, clients.device(request, services(request).settings))
    return session_response(request, signed_in)


@operation(
    "refreshSession",
    Answer(SessionAnswer, headers=("Set-Cookie",)),
    refuses=("unauthorized", "token_reused", "cross_site", "too_many_attempts"),
    headers=("X-Requested-With",),
)
async def refresh(request: Request, wanted: Refresh) -> Response:
    """Get a new access token

    The response also has a new refresh token: keep the newest one. The previous refresh token stays valid until the new
    one is used for the first time. An older token ends the session.
    """
    if (wanted.refresh_token is None) == (wanted.workspace is None):
        raise Invalid.field("/refresh_token", "missing", "Send either refresh_token, or workspace and its cookie.")
    sharing.count(request, CHANGE_ROWS)
    address = clients.address(request, services(request).settings)
    if wanted.refresh_token is not None:
        return session_response(request, await sessions.refresh(access_of(request), wanted.refresh_token, address))
    clients.check_same_site(request, services(request).settings)
    workspace_id = await _workspace_id(request, wanted.workspace or "")
    token = cookies.read(request, workspace_id)
    return session_response(request, await sessions.refresh(access_of(request), token, address, workspace_id))


async def _workspace_id(request: Request, slug: str) -> WorkspaceId:
    """Return the workspace's id. Raises Unauthorized: there is none; the error is the same as without a cookie."""
    workspace = await services(request).database.read(lambda tx: workspaces.by_slug(tx, slug_of(slug)))
    if workspace is None:
        raise refused()
    return workspace.id


@operation("logOut", Answer(None, 204, headers=("Set-Cookie",)))
async def log_out(request: Request) -> Response:
    """Sign out

    Ends the session of this request.
    """

    async def work(tx: Transaction, actor: Actor) -> WorkspaceId:
        await sessions.end_own(tx, actor, actor.session_id)
        return actor.workspace_id

    workspace_id = await write(request, work)
    answer = no_content()
    cookies.remove(request, answer, workspace_id)
    return answer


@operation(
    "changePassword",
    Answer(None, 204),
    refuses=("wrong_password", "password_changed", "too_many_attempts", "sign_in_busy"),
)
async def change_password(request: Request, wanted: signin.PasswordChange) -> Response:
    """Change your password

    Ends your other sessions.
    """
    account, _ = await read(request, people.own_account)
    password_hash = await signin.prepare_password(access_of(request), account, wanted)
    await write(request, lambda tx, actor: signin.change_password(tx, actor, account, password_hash))
    return no_content()


def access_of(request: Request) -> Access:
    """Return the services that sign-in needs."""
    have = services(request)
    refresh_tokens = RefreshTokens(have.secrets.signing)
    return Access(
        have.settings,
        have.database,
        have.secrets,
        have.passwords,
        refresh_tokens,
        have.limits,
        sharing.required(request).key,
    )


def session_response(request: Request, signed_in: SignedIn, status: int = 200) -> Response:
    """Return the session. Our web client gets the refresh token as a cookie."""
    access, account, session = access_of(request), signed_in.account, signed_in.session
    claims = Claims(account.id, account.workspace_id, session.id)
    token = access.refresh_tokens.make(session.id, session.generation, session.salt)
    in_cookie = clients.is_browser(request)
    opened = SessionAnswer(
        access_token=services(request).tokens.sign(claims),
        token_type="Bearer",
        expires_in=access.settings.token_expiry_seconds,
        refresh_token=msgspec.UNSET if in_cookie else token,
        user=people.view(Actor(account.id, account.workspace_id, session.id, account.role), account),
        workspace=signed_in.workspace,
    )
    answer = json_response(opened, status)
    if in_cookie:
        cookies.keep(request, answer, account.workspace_id, token)
    return answer
