"""Checks actions in a workspace against the table of rights: people, invitations, the workspace itself.

Before a write, rights are checked under the workspace's lock, with the role that is stored at that moment.
"""

from __future__ import annotations

from fechatter.errors import Forbidden
from fechatter.model import Actor, Role
from fechatter.rights.table import MAY_CHANGE, MAY_GIVE, WORKSPACE, WorkspaceAction


def may(role: Role, action: WorkspaceAction) -> bool:
    """Return whether the table allows the action for the role."""
    return role in WORKSPACE[action]


def check_role(actor: Actor, action: WorkspaceAction) -> None:
    """Check whether the actor's role allows the action. Raises Forbidden."""
    if not may(actor.role, action):
        raise _forbidden(actor, action)


def _forbidden(actor: Actor, action: str) -> Forbidden:
    return Forbidden(f"{actor.role.capitalize()}s cannot {action}.")


def sees_only_met(role: Role) -> bool:
    """Return whether the person sees only people who share a chat with them."""
    return not may(role, WorkspaceAction.SEE_PEOPLE)


def may_invite(inviter: Role, invited: Role) -> bool:
    """Return whether a person with the role `inviter` may invite people with the role `invited`."""
    return may(inviter, WorkspaceAction.INVITE) and invited in MAY_GIVE[inviter]


def check_invite(actor: Actor, invited: Role) -> None:
    """Check whether the actor may invite people with the role `invited`. Raises Forbidden."""
    check_role(actor, WorkspaceAction.INVITE)
    if not may_invite(actor.role, invited):
        raise _forbidden(actor, f"invite people with the role {invited}")


def may_change(changer: Role, changed: Role) -> bool:
    """Return whether a person with the role `changer` may change people with the role `changed`."""
    return may(changer, WorkspaceAction.CHANGE_PEOPLE) and changed in MAY_CHANGE[changer]


def check_change(actor: Actor, now: Role, wanted: Role) -> None:
    """Check whether the actor may change a person from the role `now` to the role `wanted`. Raises Forbidden."""
    check_role(actor, WorkspaceAction.CHANGE_PEOPLE)
    if not may_change(actor.role, now) or wanted not in MAY_GIVE[actor.role]:
        raise _forbidden(actor, "change this person")
