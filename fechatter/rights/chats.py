"""Checks actions on chats against the table of rights. A hidden chat is refused like a chat that does not exist.

Packages call `chats.access.check_access`, before a write under the workspace's lock.
"""

from __future__ import annotations

from fechatter.errors import Forbidden, NotFound
from fechatter.model import ChatType, Role
from fechatter.rights.table import ADMINS, CHAT, MEMBERS, WORKSPACE, ChatAction, ChatStanding, WorkspaceAction

ARCHIVED = "This chat is archived. It can be read, but not changed."
DETAILS = {"not_the_sender": "Only the author can do this with a message."}

CREATING = {
    ChatType.SINGLE: WorkspaceAction.CREATE_SINGLE,
    ChatType.GROUP: WorkspaceAction.CREATE_GROUP,
    ChatType.PRIVATE_CHANNEL: WorkspaceAction.CREATE_PRIVATE_CHANNEL,
    ChatType.PUBLIC_CHANNEL: WorkspaceAction.CREATE_PUBLIC_CHANNEL,
}


def standing(workspace_role: Role, chat_role: str | None) -> ChatStanding:
    """Return the person's standing in a chat.

    `chat_role` is `owner` or `member`, or None if the person is not a member of the chat.
    """
    guest = workspace_role is Role.GUEST
    if chat_role is None:
        return ChatStanding.OUTSIDER if guest else ChatStanding.COLLEAGUE
    if workspace_role in ADMINS:
        return ChatStanding.ADMIN
    if chat_role == "owner":
        return ChatStanding.OWNER
    return ChatStanding.GUEST if guest else ChatStanding.MEMBER


def is_visible(kind: ChatType, who: ChatStanding) -> bool:
    """Return whether the person may know that the chat exists."""
    return who in MEMBERS or (who is ChatStanding.COLLEAGUE and kind is ChatType.PUBLIC_CHANNEL)


def refusal(action: ChatAction, kind: ChatType, who: ChatStanding, *, archived: bool) -> str | None:
    """Return None if the table allows the action, else the code of the refusal.

    `not_found`: the chat is hidden, or the person must join it first. `chat_archived`: the action is allowed only while
    the chat is not archived.
    """
    rule = CHAT[action]
    allowed = kind in rule.kinds and who in rule.who
    if not is_visible(kind, who) or (not allowed and who not in MEMBERS):
        return "not_found"
    if not allowed:
        return rule.code
    return "chat_archived" if archived and not rule.archived else None


def check_action(action: ChatAction, kind: ChatType, who: ChatStanding, *, archived: bool) -> None:
    """Check an action against the table.

    Raises:
        NotFound: see `refusal`.
        Forbidden: the chat is visible, but the action is not allowed; with the code of the refusal.
    """
    code = refusal(action, kind, who, archived=archived)
    if code is not None:
        raise problem(code)


def problem(code: str) -> NotFound | Forbidden:
    """Return the error with this code."""
    if code == "not_found":
        return NotFound()
    return Forbidden(ARCHIVED if code == "chat_archived" else DETAILS.get(code, ""), code=code)


def check_creation(role: Role, kind: ChatType) -> None:
    """Raise Forbidden if the role may not create such a chat."""
    if role not in WORKSPACE[CREATING[kind]]:
        raise Forbidden("Guests cannot create channels.")
