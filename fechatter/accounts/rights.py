"""Who may do what to people, invitations and the workspace: one table of roles.

Rights are asked under the workspace's lock, with the role the database has at that moment.
"""

from __future__ import annotations

from enum import StrEnum

from fechatter.errors import Forbidden
from fechatter.model import Actor, Role


class Action(StrEnum):
    """What is asked for."""

    INVITE = "invite people, see and revoke invitations"
    CHANGE_PEOPLE = "change people's roles, disable and enable them"
    RENAME_WORKSPACE = "rename the workspace"
    SEE_EMAILS = "see everybody's e-mail address"


ALLOWED = {
    Action.INVITE: {Role.OWNER, Role.ADMIN},
    Action.CHANGE_PEOPLE: {Role.OWNER, Role.ADMIN},
    Action.RENAME_WORKSPACE: {Role.OWNER, Role.ADMIN},
    Action.SEE_EMAILS: {Role.OWNER, Role.ADMIN},
}

RANK = {Role.GUEST: 0, Role.MEMBER: 1, Role.ADMIN: 2, Role.OWNER: 3}


def may(role: Role, action: Action) -> bool:
    return role in ALLOWED[action]


def check(actor: Actor, action: Action) -> None:
    """Raises Forbidden."""
    if not may(actor.role, action):
        raise Forbidden(f"Not with the role {actor.role}: {action}.")


def may_invite(inviter: Role, invited: Role) -> bool:
    """Nobody invites with more rights than they have."""
    return may(inviter, Action.INVITE) and RANK[invited] <= RANK[inviter]


def check_invite(actor: Actor, invited: Role) -> None:
    """Raises Forbidden."""
    check(actor, Action.INVITE)
    if not may_invite(actor.role, invited):
        raise Forbidden(f"Not with the role {actor.role}: invite as {invited}.")


def check_change(actor: Actor, now: Role, wanted: Role) -> None:
    """May the actor change somebody whose role is `now`, and who is to be `wanted` from then on?

    Owners change everybody; admins only those below them, and nobody is lifted above the one who lifts.

    Raises:
        Forbidden: no.
    """
    check(actor, Action.CHANGE_PEOPLE)
    if actor.role is not Role.OWNER and (RANK[now] >= RANK[actor.role] or RANK[wanted] > RANK[actor.role]):
        raise Forbidden(f"Not with the role {actor.role}: change this person.")
