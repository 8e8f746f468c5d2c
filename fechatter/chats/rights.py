"""Who may do what with a chat, in one table; nothing else decides it.

What someone may not see is refused like what is not there. `standing` says who a person is to a chat, `TABLE` what each
may do, `check` refuses. Rooms call `access.check_access`; those that write do so under the workspace's lock.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from fechatter.errors import Forbidden, NotFound
from fechatter.model import ChatType, Role


class Action(StrEnum):
    """What is asked for."""

    READ = "read"
    JOIN = "join"
    LEAVE = "leave"
    ADD_MEMBERS = "add members"
    REMOVE_MEMBERS = "remove members"
    TRANSFER = "transfer ownership"
    RENAME = "rename"
    ARCHIVE = "archive"
    DELETE = "delete"


class Standing(StrEnum):
    """Who someone is to a chat."""

    OWNER = "owner"
    ADMIN = "admin"
    """A member who is an owner or admin of the workspace."""
    MEMBER = "member"
    GUEST = "guest"
    """A member who is a guest of the workspace."""
    COLLEAGUE = "colleague"
    """No member, but may join public channels."""
    OUTSIDER = "outsider"
    """No member, and a guest: sees nothing."""


class Rule(msgspec.Struct, frozen=True):
    """One line of the table: on which kinds, by whom, and whether also while the chat is archived."""

    kinds: frozenset[ChatType]
    who: frozenset[Standing]
    archived: bool


_S = Standing
ALL_KINDS = frozenset(ChatType)
MANY = ALL_KINDS - {ChatType.SINGLE}
PUBLIC = frozenset({ChatType.PUBLIC_CHANNEL})
MEMBERS = frozenset({_S.OWNER, _S.ADMIN, _S.MEMBER, _S.GUEST})
HOSTS = frozenset({_S.OWNER, _S.ADMIN, _S.MEMBER})
LEADERS = frozenset({_S.OWNER, _S.ADMIN})

TABLE: dict[Action, Rule] = {
    Action.READ: Rule(ALL_KINDS, MEMBERS, archived=True),
    Action.JOIN: Rule(PUBLIC, frozenset({_S.COLLEAGUE}), archived=False),
    Action.LEAVE: Rule(MANY, MEMBERS, archived=True),
    Action.ADD_MEMBERS: Rule(MANY, HOSTS, archived=False),
    Action.REMOVE_MEMBERS: Rule(MANY, LEADERS, archived=True),
    Action.TRANSFER: Rule(MANY, LEADERS, archived=False),
    Action.RENAME: Rule(MANY, LEADERS, archived=False),
    Action.ARCHIVE: Rule(MANY, LEADERS, archived=True),
    Action.DELETE: Rule(MANY, LEADERS, archived=True),
}

CREATORS: dict[ChatType, frozenset[Role]] = {
    ChatType.SINGLE: frozenset(Role),
    ChatType.GROUP: frozenset(Role),
    ChatType.PRIVATE_CHANNEL: frozenset(Role) - {Role.GUEST},
    ChatType.PUBLIC_CHANNEL: frozenset(Role) - {Role.GUEST},
}
"""Which roles of the workspace may create which kind."""


def standing(workspace_role: Role, chat_role: str | None) -> Standing:
    """Who someone is to a chat; `chat_role` is None for who is no member."""
    guest = workspace_role is Role.GUEST
    if chat_role is None:
        return Standing.OUTSIDER if guest else Standing.COLLEAGUE
    if chat_role == "owner":
        return Standing.OWNER
    if workspace_role in (Role.OWNER, Role.ADMIN):
        return Standing.ADMIN
    return Standing.GUEST if guest else Standing.MEMBER


def is_visible(kind: ChatType, who: Standing) -> bool:
    """Whether someone may know that the chat exists."""
    return who in MEMBERS or (who is Standing.COLLEAGUE and kind is ChatType.PUBLIC_CHANNEL)


def check(action: Action, kind: ChatType, who: Standing, *, archived: bool) -> None:
    """Refuse what the table does not allow.

    Raises:
        NotFound: the chat is hidden from this person, or shows nothing but its name until joining.
        Forbidden: it is visible, but this is not allowed; code `chat_archived` when it would be, were it not archived.
    """
    rule = TABLE[action]
    allowed = kind in rule.kinds and who in rule.who
    if not is_visible(kind, who) or (not allowed and who not in MEMBERS):
        raise NotFound()
    if not allowed:
        raise Forbidden()
    if archived and not rule.archived:
        raise Forbidden("This chat is archived: it can be read, not changed.", code="chat_archived")


def check_creation(role: Role, kind: ChatType) -> None:
    """Raises Forbidden when the role may not create such a chat."""
    if role not in CREATORS[kind]:
        raise Forbidden("Guests do not create channels.")
