"""Invitations: links with which people join a workspace with a certain role.

An invitation expires and has a limited number of uses. Its token is shown once and stored as a hash. An invitation is
valid only while its creator still has the right to create it.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Annotated, Final

import msgspec

from fechatter.accounts import texts
from fechatter.audit.record import Act, record
from fechatter.canonical.emails import canonical_email, email_errors, email_key
from fechatter.errors import FieldError, Forbidden, NotFound
from fechatter.model import Actor, Role, timestamp
from fechatter.rights.table import WorkspaceAction
from fechatter.rights.workspace import check_invite, check_role, may_invite
from fechatter.storage import invitations, users, workspaces
from fechatter.storage.engines.base import Transaction
from fechatter.storage.invitations import Invitation

TOKEN_BYTES: Final = 32
DAY_SECONDS: Final = 24 * 60 * 60
MAX_USES: Final = 1000


class NewInvitation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new invitation. With `email`, only that address can use it, once."""

    email: Annotated[
        str | None, msgspec.Meta(description="Only this address can use it.", examples=["grace@example.org"])
    ] = None
    role: Role = Role.MEMBER
    expires_in_seconds: Annotated[int, msgspec.Meta(ge=60, le=30 * DAY_SECONDS)] = 7 * DAY_SECONDS
    max_uses: Annotated[int, msgspec.Meta(ge=1, le=MAX_USES)] = 1


class Opening(msgspec.Struct, frozen=True):
    """The public part of an invitation, for the client that has its token."""

    workspace: str
    role: Role
    email: str | None
    expires_at: int


async def create(tx: Transaction, actor: Actor, wanted: NewInvitation) -> tuple[Invitation, str]:
    """Create an invitation; return it with its token.

    Raises:
        Forbidden: the actor cannot invite people, or not with that role.
        Invalid: the e-mail address is invalid, or combined with several uses.
    """
    check_invite(actor, wanted.role)
    texts.refuse(_errors(wanted))
    invitation = Invitation(
        id=await tx.new_id(),
        workspace_id=actor.workspace_id,
        email=None if wanted.email is None else canonical_email(wanted.email),
        role=wanted.role,
        created_by=actor.user_id,
        created_at=tx.now,
        expires_at=tx.now + wanted.expires_in_seconds * 1000,
        max_uses=wanted.max_uses,
        uses=0,
        revoked_at=None,
    )
    token = secrets.token_urlsafe(TOKEN_BYTES)
    await invitations.insert(tx, invitation, _hash(token))
    terms = {"email": invitation.email, "role": invitation.role, "expires_at": timestamp(invitation.expires_at)}
    await record(tx, actor, Act.INVITATION_CREATED, invitation.id, after={**terms, "max_uses": invitation.max_uses})
    return invitation, token


def _errors(wanted: NewInvitation) -> list[FieldError]:
    if wanted.email is None:
        return []
    errors = email_errors("/email", wanted.email)
    if wanted.max_uses != 1:
        errors.append(FieldError("/max_uses", "not_together", "An invitation for one address can be used only once."))
    return errors


async def page(tx: Transaction, actor: Actor, after: int, limit: int) -> list[Invitation]:
    """Return up to `limit` invitations that are not revoked, ordered by id, with ids above `after`. Raises
    Forbidden."""
    check_role(actor, WorkspaceAction.INVITE)
    return await invitations.page(tx, actor.workspace_id, after, limit)


async def revoke(tx: Transaction, actor: Actor, invitation_id: int) -> None:
    """Revoke an invitation. Raises Forbidden; NotFound: there is no such invitation, or it was revoked before."""
    check_role(actor, WorkspaceAction.INVITE)
    if not await invitations.revoke(tx, actor.workspace_id, invitation_id):
        raise NotFound()
    await record(tx, actor, Act.INVITATION_REVOKED, invitation_id)


async def look_up(tx: Transaction, token: str) -> Opening:
    """Return the public part of the token's invitation.

    Raises:
        NotFound: no such invitation.
        Forbidden: `invitation_revoked`, `invitation_used`, `invitation_expired`.
    """
    invitation = await _open(tx, token)
    workspace = None if invitation is None else await workspaces.find(tx, invitation.workspace_id)
    if invitation is None or workspace is None:
        raise NotFound()
    return Opening(workspace.name, invitation.role, invitation.email, invitation.expires_at)


async def check(tx: Transaction, token: str, email: str) -> Invitation:
    """Return the token's open invitation for a person with that e-mail address.

    Raises:
        Forbidden: `invitation_refused` if there is no invitation or it is for another address; or a code of `look_up`.
    """
    invitation = await _open(tx, token)
    if invitation is None or (invitation.email is not None and email_key(invitation.email) != email_key(email)):
        raise _refused()
    return invitation


async def use(tx: Transaction, token: str, email: str) -> Role:
    """Use the invitation once; returns the new person's role. Raises Forbidden, as `check` does."""
    invitation = await check(tx, token, email)
    if not await invitations.claim(tx, invitation.id):
        raise _refused()
    return invitation.role


async def _open(tx: Transaction, token: str) -> Invitation | None:
    """Return the token's invitation, or None. Raises Forbidden if the invitation is not valid; the code is the
    reason."""
    invitation = await invitations.by_hash(tx, _hash(token))
    if invitation is None:
        return None
    if invitation.revoked_at is not None or not await _creator_still_may(tx, invitation):
        raise Forbidden("This invitation was revoked.", code="invitation_revoked")
    if invitation.uses >= invitation.max_uses:
        raise Forbidden("This invitation has no uses left.", code="invitation_used")
    if invitation.expires_at <= tx.now:
        raise Forbidden("This invitation has expired.", code="invitation_expired")
    return invitation


async def _creator_still_may(tx: Transaction, invitation: Invitation) -> bool:
    creator = await users.find(tx, invitation.workspace_id, invitation.created_by)
    return creator is not None and creator.disabled_at is None and may_invite(creator.role, invitation.role)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _refused() -> Forbidden:
    return Forbidden("The invitation is not valid.", code="invitation_refused")
