"""Reads the person of a session, and decides by the table of rights in which chats the session may write."""

from __future__ import annotations

import msgspec

from fechatter.events import EventType
from fechatter.model import Actor, ChatType, Position, Role, SessionId
from fechatter.rights.chats import refusal, standing
from fechatter.rights.table import ChatAction
from fechatter.storage import eras
from fechatter.storage.engines.base import Row, Transaction
from fechatter.storage.event_types import TYPE_CODES

MAX_EVENTS = 5_000
"""The most events that `changes` examines. With more events, it costs less to read the rights again."""
MAX_CHANGES = 100
_MESSAGES = ", ".join(
    str(TYPE_CODES[each]) for each in (EventType.MESSAGE_CREATED, EventType.MESSAGE_EDITED, EventType.MESSAGE_DELETED)
)

_IS_LIVE = "s.id = $1 AND s.revoked_at IS NULL AND s.expires_at > $2 AND u.disabled_at IS NULL"
_ACTOR = f"""
SELECT s.user_id, s.workspace_id, u.role, u.shows_presence FROM sessions s JOIN users u ON u.id = s.user_id
WHERE {_IS_LIVE}"""
_READER_COLUMNS = f"s.user_id, s.workspace_id, u.role, w.event_seq, {eras.OF_HEAD} AS era"
_READERS = """
sessions s JOIN users u ON u.id = s.user_id JOIN workspaces w ON w.id = s.workspace_id JOIN server v ON v.id = 1"""


def with_reader(columns: str = "", joins: str = "") -> str:
    """Return a statement that reads the person of a session ($1) at a time ($2), and `columns` with `joins`.

    `joins` can refer to `sessions s`, `users u` and `workspaces w`. `reader_of` reads the row. There is no row if the
    session has ended or the person is disabled.
    """
    more = f", {columns}" if columns else ""
    return f"SELECT {_READER_COLUMNS}{more} FROM {_READERS} {joins} WHERE {_IS_LIVE}"


READER_COLUMNS = 5
"""The columns before those that `with_reader` adds."""
_READER = with_reader()
_WRITERS = """
SELECT s.id AS session_id, s.user_id, p.b AS chat_id, s.workspace_id, w.rights_seq, u.role AS workspace_role,
    (SELECT epoch FROM server WHERE id = 1) AS era,
    m.role AS chat_role, c.chat_type, c.archived_at, s.revoked_at, s.expires_at, u.disabled_at, m.joined_seq,
    m.left_seq, c.deleted_at
FROM PAIRS($1) AS p
JOIN sessions s ON s.id = p.a
JOIN users u ON u.id = s.user_id
JOIN workspaces w ON w.id = s.workspace_id
LEFT JOIN memberships m ON m.chat_id = p.b AND m.user_id = s.user_id AND m.workspace_id = s.workspace_id
LEFT JOIN chats c ON c.id = m.chat_id"""
_CHANGES = f"""
SELECT w.rights_seq, v.epoch AS era, e.seq, e.chat_id, e.user_id
FROM workspaces w JOIN server v ON v.id = 1
JOIN events e ON e.workspace_id = w.id AND e.seq > $2 AND e.seq <= w.rights_seq AND e.type NOT IN ({_MESSAGES})
WHERE w.id = $1 AND w.floor_seq <= $2 AND w.rights_seq <= $2 + {MAX_EVENTS}
ORDER BY e.seq LIMIT {MAX_CHANGES}"""


class Writing(msgspec.Struct, frozen=True):
    """Whether a session of `user_id` may write to a chat.

    Attributes:
        rights_seq: the version of the workspace's rights at the decision.
        refusal: None, "unauthorized", or a code from the table of rights.
        era: the current era at the decision.
    """

    workspace_id: int
    rights_seq: int
    refusal: str | None
    user_id: int
    era: str

    def refusal_of(self, sender_id: int) -> str | None:
        """Return the refusal for a sender; "unauthorized" if the session belongs to another person."""
        return self.refusal if sender_id == self.user_id else "unauthorized"


class RightsChanges(msgspec.Struct, frozen=True):
    """What changed the rights of a workspace between two numbers.

    Attributes:
        rights_seq, era: the later number, and the current era.
        affected: the chat and the person of each change; None stands for every chat or person.
    """

    rights_seq: int
    era: str
    affected: frozenset[tuple[int | None, int | None]]

    def affect(self, chat_id: int, user_id: int) -> bool:
        pairs = ((None, None), (chat_id, None), (None, user_id), (chat_id, user_id))
        return any(pair in self.affected for pair in pairs)


async def actor(tx: Transaction, session_id: SessionId) -> Actor | None:
    """Return the person of the session; None if the session has ended or the person is disabled."""
    found = await actor_and_preference(tx, session_id)
    return None if found is None else found[0]


async def actor_and_preference(tx: Transaction, session_id: SessionId) -> tuple[Actor, bool] | None:
    """Return the person as `actor` does, and whether the person shows presence."""
    row = await tx.fetchrow(_ACTOR, session_id, tx.now)
    if row is None:
        return None
    return Actor(row["user_id"], row["workspace_id"], session_id, Role(row["role"])), bool(row["shows_presence"])


async def reader(tx: Transaction, session_id: SessionId) -> tuple[Actor | None, Position]:
    """Return the person as `actor` does, and the snapshot's position in the person's workspace, in one statement."""
    return reader_of(await tx.fetchrow(_READER, session_id, tx.now), session_id)


def reader_of(row: Row | None, session_id: SessionId) -> tuple[Actor | None, Position]:
    """Return the person and the position of a row of `with_reader`."""
    if row is None:
        return None, Position("", 0)
    return Actor(row[0], row[1], session_id, Role(row[2])), Position(row[4], row[3])


async def writers(tx: Transaction, pairs: list[tuple[int, int]]) -> dict[tuple[int, int], Writing]:
    """Return the decision for each pair (session, chat); unknown sessions are left out."""
    return {
        (row["session_id"], row["chat_id"]): Writing(
            row["workspace_id"], row["rights_seq"], _refusal(row, tx.now), row["user_id"], row["era"]
        )
        for row in await tx.fetch(_WRITERS, pairs)
    }


async def changes(tx: Transaction, workspace_id: int, since: int) -> RightsChanges | None:
    """Return the changes of rights after the number `since`; None if they are too many or no longer in the log."""
    rows = await tx.fetch(_CHANGES, workspace_id, since)
    if not rows or rows[-1]["seq"] != rows[-1]["rights_seq"]:
        return None
    affected = frozenset((row["chat_id"], row["user_id"]) for row in rows)
    return RightsChanges(rows[-1]["rights_seq"], rows[-1]["era"], affected)


def _refusal(row: Row, now: int) -> str | None:
    if row["revoked_at"] is not None or row["disabled_at"] is not None or row["expires_at"] <= now:
        return "unauthorized"
    if row["joined_seq"] is None or row["left_seq"] is not None or row["deleted_at"] is not None:
        return "not_found"
    who = standing(Role(row["workspace_role"]), row["chat_role"])
    return refusal(ChatAction.SEND, ChatType(row["chat_type"]), who, archived=row["archived_at"] is not None)
