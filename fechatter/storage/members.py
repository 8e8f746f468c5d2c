"""Rows of memberships: who is in a chat, from which event number to which.

A row outlives the membership. `joined_seq` and `left_seq` are the numbers of the events that began and ended it; a
person who comes back gets a new `joined_seq`.
"""

from __future__ import annotations

import msgspec

from fechatter.model import ChatId, Member, UserId, UserSummary, WorkspaceId, timestamp
from fechatter.storage.engines.base import Row, Transaction

SHOWN_MEMBERS = 8
"""Maximum number of members that a list of chats shows for each chat."""


class Present(msgspec.Struct, frozen=True):
    """A current member, with name and handle."""

    member: Member
    user: UserSummary


_IN_ORDER = "ORDER BY x.joined_seq, x.user_id LIMIT 1"
# The query steps through the index `memberships_by_joining`, so it reads eight rows of each chat, however large.
_FIRST = f"""
WITH RECURSIVE shown (chat_id, user_id, joined_seq, place) AS (
    SELECT m.chat_id, m.user_id, m.joined_seq, 1
    FROM chats c JOIN memberships m ON m.chat_id = c.id AND m.user_id = (
        SELECT x.user_id FROM memberships x WHERE x.chat_id = c.id AND x.left_seq IS NULL {_IN_ORDER})
    WHERE c.id IN ANY_OF($1)
    UNION ALL
    SELECT m.chat_id, m.user_id, m.joined_seq, s.place + 1
    FROM shown s JOIN memberships m ON m.chat_id = s.chat_id AND m.user_id = (
        SELECT x.user_id FROM memberships x WHERE x.chat_id = s.chat_id AND x.left_seq IS NULL
            AND (x.joined_seq, x.user_id) > (s.joined_seq, s.user_id) {_IN_ORDER})
    WHERE s.place < {SHOWN_MEMBERS})
SELECT s.chat_id, u.id, u.handle, u.fullname
FROM shown s JOIN users u ON u.id = s.user_id ORDER BY s.chat_id, s.place"""
_PRESENT = """
SELECT m.user_id, m.role, m.joined_at, u.handle, u.fullname FROM memberships m JOIN users u ON u.id = m.user_id
WHERE m.chat_id = $1 AND m.left_seq IS NULL"""
_SOME = f"{_PRESENT} AND m.user_id IN ANY_OF($2)"
_PAGE = f"{_PRESENT} AND m.user_id > $2 ORDER BY m.user_id LIMIT $3"
_EVER = "SELECT user_id FROM memberships WHERE chat_id = $1 AND user_id IN ANY_OF($2)"
_PEOPLE = """
SELECT id FROM users
WHERE workspace_id = $1 AND kind = 'person' AND disabled_at IS NULL AND id IN ANY_OF($2)"""
_MET = """
SELECT DISTINCT o.user_id FROM memberships mine JOIN memberships o ON o.chat_id = mine.chat_id
WHERE mine.user_id = $1 AND mine.left_seq IS NULL AND o.left_seq IS NULL AND o.user_id IN ANY_OF($2)"""
_MET_PAIRS = """
SELECT p.a, p.b FROM PAIRS($1) AS p
WHERE p.a = p.b OR EXISTS (
    SELECT 1 FROM memberships mine JOIN memberships theirs ON theirs.chat_id = mine.chat_id
    WHERE mine.user_id = p.a AND mine.left_seq IS NULL AND theirs.user_id = p.b AND theirs.left_seq IS NULL)"""
PAIRS_AT_ONCE = 1000
_CHATS_OF = """
SELECT m.chat_id FROM memberships m JOIN chats c ON c.id = m.chat_id
WHERE m.user_id = $1 AND m.left_seq IS NULL AND c.deleted_at IS NULL"""
_SUCCESSOR = """
SELECT m.user_id FROM memberships m JOIN users u ON u.id = m.user_id
WHERE m.chat_id = $1 AND m.left_seq IS NULL
ORDER BY CASE WHEN u.disabled_at IS NULL THEN 0 ELSE 1 END, CASE WHEN u.role = 'guest' THEN 1 ELSE 0 END,
    m.joined_seq, m.user_id
LIMIT 1"""
_JOIN = """
INSERT INTO memberships (chat_id, user_id, workspace_id, role, joined_seq, left_seq, joined_at)
SELECT c.id, p.a, c.workspace_id, CASE WHEN p.a = c.owner_id THEN 'owner' ELSE 'member' END, p.b, NULL, c.updated_at
FROM chats c JOIN PAIRS($2) AS p ON p.a > 0 WHERE c.id = $1
ON CONFLICT (chat_id, user_id) DO UPDATE
SET role = excluded.role, joined_seq = excluded.joined_seq, left_seq = NULL, joined_at = excluded.joined_at"""
_LEAVE = """
UPDATE memberships SET left_seq = p.b, role = 'member', starred = 0, muted = 0 FROM PAIRS($2) AS p
WHERE chat_id = $1 AND user_id = p.a AND left_seq IS NULL"""
_LEAVE_ALL = "UPDATE memberships SET left_seq = $2, starred = 0, muted = 0 WHERE chat_id = $1 AND left_seq IS NULL"
_ROLE = "UPDATE memberships SET role = $3 WHERE chat_id = $1 AND user_id = $2 AND left_seq IS NULL"
_PREFERENCES = """
UPDATE memberships SET starred = $3, muted = $4 WHERE chat_id = $1 AND user_id = $2 AND left_seq IS NULL"""


async def first_of(tx: Transaction, chat_ids: list[ChatId]) -> dict[ChatId, list[UserSummary]]:
    """Return the SHOWN_MEMBERS members of each chat who joined first, in one query."""
    shown: dict[ChatId, list[UserSummary]] = {chat_id: [] for chat_id in chat_ids}
    for row in await tx.fetch(_FIRST, chat_ids):
        shown[row["chat_id"]].append(UserSummary(row["id"], row["handle"], row["fullname"]))
    return shown


async def page(tx: Transaction, chat_id: ChatId, after: int, limit: int) -> list[Member]:
    """Return members after the user id `after`, by user id."""
    return [_present(row).member for row in await tx.fetch(_PAGE, chat_id, after, limit)]


async def present(tx: Transaction, chat_id: ChatId, user_ids: list[UserId]) -> dict[UserId, Present]:
    """Return the current members among `user_ids`."""
    found = [_present(row) for row in await tx.fetch(_SOME, chat_id, user_ids)]
    return {each.user.id: each for each in found}


def _present(row: Row) -> Present:
    member = Member(row["user_id"], row["role"], timestamp(row["joined_at"]))
    return Present(member, UserSummary(row["user_id"], row["handle"], row["fullname"]))


async def ever(tx: Transaction, chat_id: ChatId, user_ids: list[UserId]) -> set[UserId]:
    """Return the current and former members among `user_ids`."""
    return {row["user_id"] for row in await tx.fetch(_EVER, chat_id, user_ids)}


async def people(tx: Transaction, workspace_id: WorkspaceId, user_ids: list[UserId]) -> set[UserId]:
    """Return the people among `user_ids` who can be added to chats: people of the workspace who are not disabled."""
    return {row["id"] for row in await tx.fetch(_PEOPLE, workspace_id, user_ids)}


async def met(tx: Transaction, user_id: UserId, user_ids: list[UserId]) -> set[UserId]:
    """Return the people among `user_ids` who share a chat with `user_id`."""
    return {row["user_id"] for row in await tx.fetch(_MET, user_id, user_ids)}


async def met_pairs(tx: Transaction, pairs: list[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return the pairs of people who share a chat now, or are one person."""
    met: set[tuple[int, int]] = set()
    for first in range(0, len(pairs), PAIRS_AT_ONCE):
        met.update((row["a"], row["b"]) for row in await tx.fetch(_MET_PAIRS, pairs[first : first + PAIRS_AT_ONCE]))
        await tx.pause()
    return met


async def chat_ids_of(tx: Transaction, user_id: UserId) -> list[ChatId]:
    """Return the ids of the person's chats that are not deleted."""
    return [row["chat_id"] for row in await tx.fetch(_CHATS_OF, user_id)]


async def successor(tx: Transaction, chat_id: ChatId) -> UserId | None:
    """Return the next owner; None if the chat has no member.

    It is the member who joined first. Guests come after other people, and disabled people come last.
    """
    row = await tx.fetchrow(_SUCCESSOR, chat_id)
    return None if row is None else UserId(row["user_id"])


async def join(tx: Transaction, chat_id: ChatId, joined: list[tuple[UserId, int]]) -> None:
    """Make people members, each from the given event number on. `joined_at` is the chat's `updated_at`."""
    await tx.execute(_JOIN, chat_id, joined)


async def leave(tx: Transaction, chat_id: ChatId, left: list[tuple[UserId, int]]) -> None:
    """End memberships, each at the given event number."""
    await tx.execute(_LEAVE, chat_id, left)


async def leave_all(tx: Transaction, chat_id: ChatId, seq: int) -> None:
    """End all memberships of a deleted chat at one event number."""
    await tx.execute(_LEAVE_ALL, chat_id, seq)


async def set_role(tx: Transaction, chat_id: ChatId, user_id: UserId, role: str) -> None:
    """Set a member's role: `owner` or `member`."""
    await tx.execute(_ROLE, chat_id, user_id, role)


async def set_preferences(tx: Transaction, chat_id: ChatId, user_id: UserId, *, starred: bool, muted: bool) -> None:
    """Set a member's preferences for the chat."""
    await tx.execute(_PREFERENCES, chat_id, user_id, int(starred), int(muted))
