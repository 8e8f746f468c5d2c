"""Refuses what the table does not allow with a chat. What someone may not see is refused like what is not there.

Rooms call `chats.access.check_access`; those that write do so under the workspace's lock.
"""

from __future__ import annotations

from fechatter.errors import Forbidden, NotFound
from fechatter.model import ChatType, Role
from fechatter.rights.table import ADMINS, CHAT, MEMBERS, WORKSPACE, ChatAction, Standing, WorkspaceAction

ARCHIVED = "This chat is archived: it can be read, not changed."
DETAILS = {"not_the_sender": "Not with a message of somebody else."}

CREATING = {
    ChatType.SINGLE: WorkspaceAction.CREATE_SINGLE,
    ChatType.GROUP: WorkspaceAction.CREATE_GROUP,
    ChatType.PRIVATE_CHANNEL: WorkspaceAction.CREATE_PRIVATE_CHANNEL,
    ChatType.PUBLIC_CHANNEL: WorkspaceAction.CREATE_PUBLIC_CHANNEL,
}


def standing(workspace_role: Role, chat_role: str | None) -> Standing:
    """Who someone is to a chat; `chat_role` is None for who is no member."""
    guest = workspace_role is Role.GUEST
    if chat_role is None:
        return Standing.OUTSIDER if guest else Standing.COLLEAGUE
    if workspace_role in ADMINS:
        return Standing.ADMIN
    if chat_role == "owner":
        return Standing.OWNER
    return Standing.GUEST if guest else Standing.MEMBER


def is_visible(kind: ChatType, who: Standing) -> bool:
    """Whether someone may know that the chat exists."""
    return who in MEMBERS or (who is Standing.COLLEAGUE and kind is ChatType.PUBLIC_CHANNEL)


def refusal(action: ChatAction, kind: ChatType, who: Standing, *, archived: bool) -> str | None:
    """None when the table allows it, else the code of the refusal.

    `not_found`: hidden, or shows nothing but its name until joining. `chat_archived`: allowed, were it not archived.
    """
    rule = CHAT[action]
    allowed = kind in rule.kinds and who in rule.who
    if not is_visible(kind, who) or (not allowed and who not in MEMBERS):
        return "not_found"
    if not allowed:
        return rule.code
    return "chat_archived" if archived and not rule.archived else None


def check_action(action: ChatAction, kind: ChatType, who: Standing, *, archived: bool) -> None:
    """Refuse what the table does not allow.

    Raises:
        NotFound: see `refusal`.
        Forbidden: it is visible, but this is not allowed; with the code of the refusal.
    """
    code = refusal(action, kind, who, archived=archived)
    if code is not None:
        raise problem(code)


def problem(code: str) -> NotFound | Forbidden:
    """The refusal of that code."""
    if code == "not_found":
        return NotFound()
    return Forbidden(ARCHIVED if code == "chat_archived" else DETAILS.get(code, ""), code=code)


def check_creation(role: Role, kind: ChatType) -> None:
    """Raises Forbidden when the role may not create such a chat."""
    if role not in WORKSPACE[CREATING[kind]]:
        raise Forbidden("Guests do not create channels.")
