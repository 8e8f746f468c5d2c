"""The table of rights: who may do what, in a workspace and with a chat. Everything else is forbidden.

`rights/workspace.py` and `rights/chats.py` use it, SECURITY.md shows it (`make rights`), and the tests try each cell
over the socket. Every decision uses the role and the membership that are stored at that moment.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from fechatter.model import ChatType, Role


class WorkspaceAction(StrEnum):
    """Actions in a workspace."""

    SEE_PEOPLE = "see all people, not only people in shared chats"
    SEE_EMAILS = "see everybody's e-mail address"
    SEE_CHANNELS = "find and join the public channels"
    CREATE_SINGLE = "open a single chat"
    CREATE_GROUP = "create a group"
    CREATE_PRIVATE_CHANNEL = "create a private channel"
    CREATE_PUBLIC_CHANNEL = "create a public channel"
    INVITE = "invite people, see and revoke invitations"
    CHANGE_PEOPLE = "change people's roles, disable and enable them, create password reset links for them"
    RENAME_WORKSPACE = "rename the workspace, choose the channel that new people join"
    READ_AUDIT = "read the audit log"
    SEE_HEALTH = "see the details of the server's health, and its metrics unless sign-up is open"


class ChatAction(StrEnum):
    """Actions on a chat."""

    READ = "read messages and members, listen, move one's read mark, star and mute"
    SEND = "send a message, show that one is typing"
    EDIT_OWN = "edit one's own message"
    EDIT_OTHERS = "edit somebody else's message"
    DELETE_OWN = "delete one's own message"
    DELETE_OTHERS = "delete somebody else's message"
    VERSIONS_OWN = "read the earlier contents of one's own message"
    VERSIONS_OTHERS = "read the earlier contents of somebody else's message"
    JOIN = "join"
    LEAVE = "leave"
    ADD_MEMBERS = "add members"
    REMOVE_MEMBERS = "remove members"
    TRANSFER = "hand over ownership"
    RENAME = "change name and description"
    ARCHIVE = "archive, bring back"
    DELETE = "delete"


class ChatStanding(StrEnum):
    """A person's relation to a chat."""

    ADMIN = "admin"
    """A member who is an owner or admin of the workspace, even if the member owns the chat."""
    OWNER = "owner"
    """The owner of the chat, who is not an owner or admin of the workspace."""
    MEMBER = "member"
    GUEST = "guest"
    """A member who is a guest of the workspace."""
    COLLEAGUE = "colleague"
    """Neither a member of the chat nor a guest of the workspace; sees public channels."""
    OUTSIDER = "outsider"
    """A guest of the workspace who is not a member; sees nothing."""


class Rule(msgspec.Struct, frozen=True):
    """One line of the table of chats.

    Attributes:
        kinds: the types of chat that have the action.
        who: the standings that allow the action.
        archived: whether the action is allowed while the chat is archived.
        code: the error code for people who see the chat but may not act.
    """

    kinds: frozenset[ChatType]
    who: frozenset[ChatStanding]
    archived: bool
    code: str = "forbidden"


_S = ChatStanding
ALL = frozenset(ChatType)
MANY = ALL - {ChatType.SINGLE}
PUBLIC = frozenset({ChatType.PUBLIC_CHANNEL})
MEMBERS = frozenset({_S.ADMIN, _S.OWNER, _S.MEMBER, _S.GUEST})
HOSTS = MEMBERS - {_S.GUEST}
LEADERS = frozenset({_S.ADMIN, _S.OWNER})
NOBODY: frozenset[ChatStanding] = frozenset()

CHAT: dict[ChatAction, Rule] = {
    ChatAction.READ: Rule(ALL, MEMBERS, archived=True),
    ChatAction.SEND: Rule(ALL, MEMBERS, archived=False),
    ChatAction.EDIT_OWN: Rule(ALL, MEMBERS, archived=False),
    ChatAction.EDIT_OTHERS: Rule(ALL, NOBODY, archived=False, code="not_the_sender"),
    ChatAction.DELETE_OWN: Rule(ALL, MEMBERS, archived=False),
    ChatAction.DELETE_OTHERS: Rule(ALL, LEADERS, archived=False, code="not_the_sender"),
    ChatAction.VERSIONS_OWN: Rule(ALL, MEMBERS, archived=True),
    ChatAction.VERSIONS_OTHERS: Rule(ALL, frozenset({_S.ADMIN}), archived=True, code="not_the_sender"),
    ChatAction.JOIN: Rule(PUBLIC, frozenset({_S.COLLEAGUE}), archived=False),
    ChatAction.LEAVE: Rule(MANY, MEMBERS, archived=True),
    ChatAction.ADD_MEMBERS: Rule(MANY, HOSTS, archived=False),
    ChatAction.REMOVE_MEMBERS: Rule(MANY, LEADERS, archived=True),
    ChatAction.TRANSFER: Rule(MANY, LEADERS, archived=False),
    ChatAction.RENAME: Rule(MANY, LEADERS, archived=False),
    ChatAction.ARCHIVE: Rule(MANY, LEADERS, archived=True),
    ChatAction.DELETE: Rule(MANY, LEADERS, archived=True),
}

_R = Role
EVERYBODY = frozenset(Role)
STAFF = EVERYBODY - {_R.GUEST}
ADMINS = frozenset({_R.OWNER, _R.ADMIN})
OWNERS = frozenset({_R.OWNER})

WORKSPACE: dict[WorkspaceAction, frozenset[Role]] = {
    WorkspaceAction.SEE_PEOPLE: STAFF,
    WorkspaceAction.SEE_EMAILS: ADMINS,
    WorkspaceAction.SEE_CHANNELS: STAFF,
    WorkspaceAction.CREATE_SINGLE: EVERYBODY,
    WorkspaceAction.CREATE_GROUP: EVERYBODY,
    WorkspaceAction.CREATE_PRIVATE_CHANNEL: STAFF,
    WorkspaceAction.CREATE_PUBLIC_CHANNEL: STAFF,
    WorkspaceAction.INVITE: ADMINS,
    WorkspaceAction.CHANGE_PEOPLE: ADMINS,
    WorkspaceAction.RENAME_WORKSPACE: ADMINS,
    WorkspaceAction.READ_AUDIT: OWNERS,
    WorkspaceAction.SEE_HEALTH: ADMINS,
}

MAY_GIVE: dict[Role, frozenset[Role]] = {
    _R.OWNER: EVERYBODY,
    _R.ADMIN: EVERYBODY - {_R.OWNER},
    _R.MEMBER: frozenset(),
    _R.GUEST: frozenset(),
}
"""The roles that a person may give to others, by invitation or by change: never a higher role than their own."""

MAY_CHANGE: dict[Role, frozenset[Role]] = {
    _R.OWNER: EVERYBODY,
    _R.ADMIN: frozenset({_R.MEMBER, _R.GUEST}),
    _R.MEMBER: frozenset(),
    _R.GUEST: frozenset(),
}
"""The roles of the people whom a person may change, disable and enable. The last owner stays, and people cannot
disable themselves."""
