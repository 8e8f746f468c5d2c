"""Writes the audit log. Every administrative act calls `record` in its own transaction."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from fechatter.model import Actor, UserId
from fechatter.storage import audit
from fechatter.storage.audit import Entry
from fechatter.storage.engines.base import Transaction


class Act(StrEnum):
    """The acts. The part before the dot is the type of the subject."""

    USER_CREATED = "user.created"
    USER_ROLE_CHANGED = "user.role_changed"
    USER_DISABLED = "user.disabled"
    USER_ENABLED = "user.enabled"
    USER_RESET_LINK_CREATED = "user.reset_link_created"
    USER_PASSWORD_RESET = "user.password_reset"
    SESSION_REVOKED = "session.revoked"
    INVITATION_CREATED = "invitation.created"
    INVITATION_REVOKED = "invitation.revoked"
    WORKSPACE_CREATED = "workspace.created"
    WORKSPACE_RENAMED = "workspace.renamed"
    WORKSPACE_DEFAULT_CHANNEL_CHOSEN = "workspace.default_channel_chosen"
    WORKSPACE_DELETED = "workspace.deleted"
    WORKSPACE_BACKED_UP = "workspace.backed_up"
    WORKSPACE_RESTORED = "workspace.restored"
    WORKSPACE_EXPORTED = "workspace.exported"
    WORKSPACE_MESSAGES_EXPIRED = "workspace.messages_expired"
    CHAT_ARCHIVED = "chat.archived"
    CHAT_UNARCHIVED = "chat.unarchived"
    CHAT_RENAMED = "chat.renamed"
    CHAT_MEMBER_REMOVED = "chat.member_removed"
    CHAT_TRANSFERRED = "chat.transferred"
    CHAT_DELETED = "chat.deleted"
    MESSAGE_DELETED = "message.deleted"


async def record(
    tx: Transaction,
    actor: Actor,
    act: Act,
    subject_id: int,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write one entry.

    Args:
        subject_id: the id of the changed object.
        before, after: the changed values, JSON-ready; never a password, a token, a hash, or the name or content of a
            chat.
    """
    entry = Entry(
        id=await tx.new_id(),
        created_at=tx.now,
        action=act.value,
        actor_id=UserId(actor.user_id) if actor.user_id else None,
        origin=actor.origin,
        subject_type=act.value.partition(".")[0],
        subject_id=subject_id,
        before=_plain(before),
        after=_plain(after),
    )
    await audit.insert(tx, actor.workspace_id, entry)


def _plain(data: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if data is None else dict(msgspec.to_builtins(data))
