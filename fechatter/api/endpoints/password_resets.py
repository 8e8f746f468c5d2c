"""Password reset links. Only the response that creates a link contains its token."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fechatter.accounts import password_resets
from fechatter.api import clients
from fechatter.api.bodies import Body
from fechatter.api.endpoints.accounts import SessionAnswer, access_of, session_response
from fechatter.api.identity import services, write
from fechatter.api.operations import Answer, operation
from fechatter.api.responses import json_response
from fechatter.auth.limits import RESET_LOOKUP
from fechatter.model import Fullname, Handle, Timestamp, UserId, timestamp
from fechatter.storage.workspaces import WorkspaceName

REFUSALS = ("reset_link_used", "reset_link_revoked", "reset_link_expired", "account_disabled")


class ResetLink(msgspec.Struct, frozen=True):
    """A link with which one person can set a new password once. It replaces the person's earlier link."""

    id: Annotated[int, msgspec.Meta(examples=[91])]
    token: Annotated[str, msgspec.Meta(examples=["Rk2d…"])]
    url: Annotated[str, msgspec.Meta(examples=["https://chat.example.org/reset#token=Rk2d…"])]
    expires_at: Timestamp


class ResetToken(Body, frozen=True):
    """The token of a reset link."""

    token: Annotated[str, msgspec.Meta(examples=["Rk2d…"])]


class ResetPerson(msgspec.Struct, frozen=True):
    """The person whose password the link sets."""

    fullname: Fullname
    handle: Handle


class ResetOpening(msgspec.Struct, frozen=True):
    """The person and workspace of a reset link."""

    workspace: WorkspaceName
    user: ResetPerson
    email: Annotated[str, msgspec.Meta(examples=["ada@example.org"])]
    expires_at: Timestamp


@operation("createPasswordReset", Answer(ResetLink, 201), refuses=("forbidden",))
async def create(request: Request) -> Response:
    """Create a password reset link for a person

    For owners and admins. Only this response contains `token` and `url`.
    """
    user_id = UserId(request.path_params["user_id"])
    reset, token = await write(request, lambda tx, actor: password_resets.create(tx, actor, user_id))
    url = password_resets.link(clients.public_address(request, services(request).settings), token)
    return json_response(ResetLink(reset.id, token, url, timestamp(reset.expires_at)), 201)


@operation("lookUpPasswordReset", Answer(ResetOpening), refuses=("not_found", "too_many_attempts", *REFUSALS))
async def lookup(request: Request, wanted: ResetToken) -> Response:
    """Look up a password reset link

    Returns the link's person and workspace, before a new password is set. The request needs only the token.
    """
    have = services(request)
    with have.limits.attempt(RESET_LOOKUP, clients.address(request, have.settings)):
        reset, account = await have.database.read(lambda tx: password_resets.look_up(tx, wanted.token))
    workspace = WorkspaceName(account.workspace_slug, account.workspace_name)
    person = ResetPerson(account.fullname, account.handle)
    return json_response(ResetOpening(workspace, person, account.email, timestamp(reset.expires_at)))


@operation(
    "resetPassword",
    Answer(SessionAnswer, headers=("Set-Cookie",)),
    refuses=("not_found", "too_many_attempts", "sign_in_busy", *REFUSALS),
    headers=("X-Requested-With",),
)
async def use(request: Request, wanted: password_resets.NewPassword) -> Response:
    """Set a new password with a reset link, and sign in

    Uses up the link and ends all earlier sessions of the person.
    """
    device = clients.device(request, services(request).settings)
    return session_response(request, await password_resets.use(access_of(request), wanted, device))
