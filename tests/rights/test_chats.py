"""Each cell of the table of chat rights equals a second table, which is written here by hand."""

from __future__ import annotations

from itertools import product

import pytest

from fechatter.errors import Forbidden, NotFound
from fechatter.model import ChatType, Role
from fechatter.rights.chats import check_action, check_creation, is_visible, standing
from fechatter.rights.table import ChatAction, ChatStanding

SINGLE, GROUP, PRIVATE, PUBLIC = ChatType
A, S = ChatAction, ChatStanding
INSIDE = {S.OWNER, S.ADMIN, S.MEMBER, S.GUEST}
LEADERS = {S.OWNER, S.ADMIN}
WHO = {
    A.READ: INSIDE,
    A.SEND: INSIDE,
    A.EDIT_OWN: INSIDE,
    A.EDIT_OTHERS: set(),
    A.DELETE_OWN: INSIDE,
    A.DELETE_OTHERS: LEADERS,
    A.VERSIONS_OWN: INSIDE,
    A.VERSIONS_OTHERS: {S.ADMIN},
    A.LEAVE: INSIDE,
    A.ADD_MEMBERS: {S.OWNER, S.ADMIN, S.MEMBER},
    A.JOIN: {S.COLLEAGUE},
    A.REMOVE_MEMBERS: LEADERS,
    A.TRANSFER: LEADERS,
    A.RENAME: LEADERS,
    A.ARCHIVE: LEADERS,
    A.DELETE: LEADERS,
}
WHILE_ARCHIVED = {A.READ, A.VERSIONS_OWN, A.VERSIONS_OTHERS, A.LEAVE, A.REMOVE_MEMBERS, A.ARCHIVE, A.DELETE}
IN_SINGLE_CHATS = {A.READ, A.SEND, A.EDIT_OWN, A.DELETE_OWN, A.DELETE_OTHERS, A.VERSIONS_OWN, A.VERSIONS_OTHERS}
OF_OTHERS = {A.EDIT_OTHERS, A.DELETE_OTHERS, A.VERSIONS_OTHERS}


def expected(action: ChatAction, kind: ChatType, who: ChatStanding, archived: bool) -> str:
    inside = who in INSIDE
    if action is A.JOIN:
        if inside:
            return "forbidden"
        if who is not S.COLLEAGUE or kind is not PUBLIC:
            return "not_found"
        return "chat_archived" if archived else "allowed"
    if not inside:
        return "not_found"
    if who not in WHO[action] or (kind is SINGLE and action not in IN_SINGLE_CHATS):
        return "not_the_sender" if action in OF_OTHERS else "forbidden"
    return "chat_archived" if archived and action not in WHILE_ARCHIVED else "allowed"


@pytest.mark.parametrize(("action", "kind"), list(product(ChatAction, ChatType)))
def test_each_cell_is_allowed_or_refused_as_written_here(action: ChatAction, kind: ChatType) -> None:
    for who, archived in product(ChatStanding, (False, True)):
        try:
            check_action(action, kind, who, archived=archived)
            outcome = "allowed"
        except (NotFound, Forbidden) as error:
            outcome = error.code
        assert outcome == expected(action, kind, who, archived), (action, kind, who, archived)


def test_all_hidden_chats_get_the_same_refusal() -> None:
    for action, kind, who in product(ChatAction, ChatType, ChatStanding):
        if not is_visible(kind, who):
            with pytest.raises(NotFound) as error:
                check_action(action, kind, who, archived=False)
            assert error.value.detail == NotFound().detail


@pytest.mark.parametrize(
    ("role", "chat_role", "who"),
    [
        (Role.MEMBER, None, S.COLLEAGUE),
        (Role.OWNER, None, S.COLLEAGUE),
        (Role.GUEST, None, S.OUTSIDER),
        (Role.GUEST, "member", S.GUEST),
        (Role.GUEST, "owner", S.OWNER),
        (Role.MEMBER, "member", S.MEMBER),
        (Role.ADMIN, "member", S.ADMIN),
        (Role.OWNER, "member", S.ADMIN),
        (Role.OWNER, "owner", S.ADMIN),
        (Role.MEMBER, "owner", S.OWNER),
    ],
)
def test_standing_follows_the_workspace_role_and_the_chat_role(
    role: Role, chat_role: str | None, who: ChatStanding
) -> None:
    assert standing(role, chat_role) is who


def test_guests_cannot_create_channels() -> None:
    for role, kind in product(Role, ChatType):
        if role is Role.GUEST and kind in (PRIVATE, PUBLIC):
            with pytest.raises(Forbidden):
                check_creation(role, kind)
        else:
            check_creation(role, kind)
