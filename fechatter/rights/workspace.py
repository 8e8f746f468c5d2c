"""Refuses what the table does not allow in a workspace: people, invitations, the workspace itself.

Rights are asked under the workspace's lock, with the role the database has at that moment.
"""

from __future__ import annotations

from fechatter.errors import Forbidden
from fechatter.model import Actor, Role
from fechatter.rights.table import MAY_CHANGE, MAY_GIVE, WORKSPACE, WorkspaceAction


def may(role: Role, action: WorkspaceAction) -> bool:
    return role in WORKSPACE[action]


def check_role(actor: Actor, action: WorkspaceAction) -> None:
    """Raises Forbidden."""
    if not may(actor.role, action):
        raise Forbidden(f"Not with the role {actor.role}: {action}.")


def sees_only_met(role: Role) -> bool:
    """Whether somebody sees of the people only those they share a chat with."""
    return not may(role, WorkspaceAction.SEE_PEOPLE)


def may_invite(inviter: Role, invited: Role) -> bool:
    """Nobody invites with more rights than they have."""
    return may(inviter, WorkspaceAction.INVITE) and invited in MAY_GIVE[inviter]


def check_invite(actor: Actor, invited: Role) -> None:
    """Raises Forbidden."""
    check_role(actor, WorkspaceAction.INVITE)
    if not may_invite(actor.role, invited):
        raise Forbidden(f"Not with the role {actor.role}: invite as {invited}.")


def may_change(changer: Role, changed: Role) -> bool:
    """Whether somebody may change people of this role."""
    return may(changer, WorkspaceAction.CHANGE_PEOPLE) and changed in MAY_CHANGE[changer]


def check_change(actor: Actor, now: Role, wanted: Role) -> None:
    """May the actor change somebody whose role is `now`, and who is to be `wanted` from then on?

    Raises:
        Forbidden: no.
    """
    check_role(actor, WorkspaceAction.CHANGE_PEOPLE)
    if not may_change(actor.role, now) or wanted not in MAY_GIVE[actor.role]:
        raise Forbidden(f"Not with the role {actor.role}: change this person.")
