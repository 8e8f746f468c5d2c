"""Invitations to a workspace. Only the response that creates an invitation contains its token."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fechatter.accounts import invitations
from fechatter.api import clients
from fechatter.api.bodies import Body
from fechatter.api.identity import read, services, write
from fechatter.api.operations import Answer, operation
from fechatter.api.paging import Items, Page, page_of
from fechatter.api.responses import json_response, no_content
from fechatter.auth.limits import LOOKUP
from fechatter.model import AnyUser, Role, Timestamp, timestamp
from fechatter.storage.invitations import Invitation


class InvitationView(msgspec.Struct, frozen=True):
    """An invitation, for people who may invite. `token` and `url` are present only when it is created."""

    id: Annotated[int, msgspec.Meta(examples=[33])]
    email: str | None
    role: Role
    created_by: AnyUser
    created_at: Timestamp
    expires_at: Timestamp
    max_uses: int
    uses: Annotated[int, msgspec.Meta(examples=[0])]
    token: Annotated[str, msgspec.Meta(examples=["Vq8f…"])] | msgspec.UnsetType = msgspec.UNSET
    url: Annotated[str, msgspec.Meta(examples=["https://chat.example.org/join#token=Vq8f…"])] | msgspec.UnsetType = (
        msgspec.UNSET
    )


class OpeningView(msgspec.Struct, frozen=True):
    """The workspace and the role of an invitation."""

    workspace: Annotated[str, msgspec.Meta(description="The name of the workspace.", examples=["Analytical Engines"])]
    role: Role
    email: str | None
    expires_at: Timestamp


class InvitationToken(Body, frozen=True):
    """An invitation's token."""

    token: Annotated[str, msgspec.Meta(examples=["Vq8f…"])]


def _view(invitation: Invitation) -> InvitationView:
    return InvitationView(
        id=invitation.id,
        email=invitation.email,
        role=invitation.role,
        created_by=invitation.created_by,
        created_at=timestamp(invitation.created_at),
        expires_at=timestamp(invitation.expires_at),
        max_uses=invitation.max_uses,
        uses=invitation.uses,
    )


@operation("createInvitation", Answer(InvitationView, 201), refuses=("forbidden",))
async def create(request: Request, wanted: invitations.NewInvitation) -> Response:
    """Create an invitation

    For owners and admins. Only this response contains `token` and `url`.
    """
    invitation, token = await write(request, lambda tx, actor: invitations.create(tx, actor, wanted))
    url = f"{clients.public_address(request, services(request).settings)}/join#token={token}"
    return json_response(msgspec.structs.replace(_view(invitation), token=token, url=url), 201)


@operation("listInvitations", Answer(Items[InvitationView]), refuses=("forbidden",))
async def index(request: Request, page: Page) -> Response:
    """List the invitations"""
    found, _ = await read(request, lambda tx, actor: invitations.page(tx, actor, page.after, page.limit + 1))
    return json_response(page_of([_view(invitation) for invitation in found], page))


@operation("revokeInvitation", Answer(None, 204), refuses=("forbidden",))
async def delete(request: Request) -> Response:
    """Revoke an invitation"""
    invitation_id = request.path_params["invitation_id"]
    await write(request, lambda tx, actor: invitations.revoke(tx, actor, invitation_id))
    return no_content()


@operation(
    "lookUpInvitation",
    Answer(OpeningView),
    refuses=("not_found", "invitation_revoked", "invitation_used", "invitation_expired", "too_many_attempts"),
)
async def lookup(request: Request, wanted: InvitationToken) -> Response:
    """Look up an invitation

    Returns the workspace and the role, before a sign-up. The request needs only the token.
    """
    have = services(request)
    with have.limits.attempt(LOOKUP, clients.address(request, have.settings)):
        opening = await have.database.read(lambda tx: invitations.look_up(tx, wanted.token))
    return json_response(OpeningView(opening.workspace, opening.role, opening.email, timestamp(opening.expires_at)))
