"""The table of rights: who may do what, in a workspace and with a chat. Nothing is allowed that is not written here.

`rights/workspace.py` and `rights/chats.py` decide by it, SECURITY.md shows it (`make rights`), and the tests try each of its
cells over the socket. Every decision is made with the role and the membership that the database has at that moment.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from fechatter.model import ChatType, Role


class WorkspaceAction(StrEnum):
    """What is asked for in a workspace."""

    SEE_PEOPLE = "see everybody, not only whom one shares a chat with"
    SEE_EMAILS = "see everybody's e-mail address"
    SEE_CHANNELS = "find and join the public channels"
    CREATE_SINGLE = "open a single chat"
    CREATE_GROUP = "make a group"
    CREATE_PRIVATE_CHANNEL = "make a private channel"
    CREATE_PUBLIC_CHANNEL = "make a public channel"
    INVITE = "invite people, see and revoke invitations"
    CHANGE_PEOPLE = "change people's roles, disable and enable them, make password reset links for them"
    RENAME_WORKSPACE = "rename the workspace, choose the channel that new people join"
    READ_AUDIT = "read the audit log"
    SEE_HEALTH = "see the details of the server's health, and its metrics unless sign-up is open"


class ChatAction(StrEnum):
    """What is asked for with a chat."""

    READ = "read messages and members, listen, move one's read mark, star and mute"
    SEND = "send a message"
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


class Standing(StrEnum):
    """Who someone is to a chat."""

    ADMIN = "admin"
    """A member who is an owner or admin of the workspace, whether the chat is theirs or not."""
    OWNER = "owner"
    """Its owner, without being one of those."""
    MEMBER = "member"
    GUEST = "guest"
    """A member who is a guest of the workspace."""
    COLLEAGUE = "colleague"
    """No member, and no guest of the workspace: may find public channels."""
    OUTSIDER = "outsider"
    """No member, and a guest: sees nothing."""


class Rule(msgspec.Struct, frozen=True):
    """One line of the table of chats.

    Attributes:
        kinds: with which kinds of chat.
        who: who may.
        archived: whether also while the chat is archived.
        code: the code of the refusal of somebody who sees the chat.
    """

    kinds: frozenset[ChatType]
    who: frozenset[Standing]
    archived: bool
    code: str = "forbidden"


_S = Standing
ALL = frozenset(ChatType)
MANY = ALL - {ChatType.SINGLE}
PUBLIC = frozenset({ChatType.PUBLIC_CHANNEL})
MEMBERS = frozenset({_S.ADMIN, _S.OWNER, _S.MEMBER, _S.GUEST})
HOSTS = MEMBERS - {_S.GUEST}
LEADERS = frozenset({_S.ADMIN, _S.OWNER})
NOBODY: frozenset[Standing] = frozenset()

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
"""Which roles one may give, by inviting or by changing somebody: never a higher one than one's own."""

MAY_CHANGE: dict[Role, frozenset[Role]] = {
    _R.OWNER: EVERYBODY,
    _R.ADMIN: frozenset({_R.MEMBER, _R.GUEST}),
    _R.MEMBER: frozenset(),
    _R.GUEST: frozenset(),
}
"""People of which roles one may change, disable and enable. The last owner stays, and nobody disables themselves."""
