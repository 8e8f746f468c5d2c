"""Rules that the chats of a workspace must fulfil after every act, in whatever order the acts happened."""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

from fechatter.model import WorkspaceId
from fechatter.storage.engines.base import Database, Transaction
from fechatter.storage.event_types import TYPES

_CHATS = """
SELECT c.id, c.chat_type, c.name_key, c.owner_id, c.member_count, c.pair_low, c.pair_high, c.deleted_at, h.last_number
FROM chats c JOIN timelines h ON h.id = c.id WHERE c.workspace_id = $1"""
_MEMBERS = "SELECT chat_id, user_id, role, joined_seq, left_seq FROM memberships WHERE workspace_id = $1"
_NUMBERS = """
SELECT m.chat_id, m.number FROM messages m JOIN chats c ON c.id = m.chat_id
WHERE c.workspace_id = $1 ORDER BY m.chat_id, m.number"""
_EVENTS = "SELECT seq, type, chat_id, user_id FROM events WHERE workspace_id = $1 ORDER BY seq"
_HEAD = "SELECT event_seq FROM workspaces WHERE id = $1"


async def check_invariants(database: Database, workspace_id: WorkspaceId) -> None:
    """Check all rules on one snapshot."""

    async def work(tx: Transaction) -> list[list[dict[str, Any]]]:
        found = [await tx.fetch(sql, workspace_id) for sql in (_CHATS, _MEMBERS, _NUMBERS, _EVENTS, _HEAD)]
        # The rows of both drivers have keys, but the protocol does not demand them.
        return [[dict(zip(cast(Any, row).keys(), row, strict=True)) for row in rows] for rows in found]

    chats, members, numbers, events, [head] = await database.read(work)
    assert [event["seq"] for event in events] == list(range(1, head["event_seq"] + 1))
    public = [
        chat["name_key"] for chat in chats if chat["chat_type"] == "public_channel" and chat["deleted_at"] is None
    ]
    assert len(public) == len(set(public))
    assert (
        max(Counter((chat["pair_low"], chat["pair_high"]) for chat in chats if chat["pair_low"]).values(), default=1)
        == 1
    )
    for chat in chats:
        _check_members(
            chat, [member for member in members if member["chat_id"] == chat["id"] and member["left_seq"] is None]
        )
        found = [row["number"] for row in numbers if row["chat_id"] == chat["id"]]
        assert found == list(range(1, chat["last_number"] + 1))
    _check_events_match_memberships(members, events)


def _check_members(chat: dict[str, Any], present: list[dict[str, Any]]) -> None:
    assert len(present) == chat["member_count"]
    assert [member["user_id"] for member in present if member["role"] == "owner"] == [chat["owner_id"]] * bool(present)
    if chat["deleted_at"] is not None:
        assert present == []
    elif chat["chat_type"] != "public_channel":
        assert present != []
    if chat["chat_type"] == "single":
        assert {member["user_id"] for member in present} == {chat["pair_low"], chat["pair_high"]}


def _check_events_match_memberships(members: list[dict[str, Any]], events: list[dict[str, Any]]) -> None:
    """Applying all events must give the stored memberships with their numbers."""
    joined: dict[tuple[int, int], int] = {}
    left: dict[tuple[int, int], int] = {}
    for event in events:
        name, place = TYPES[event["type"]].value, (event["chat_id"], event["user_id"])
        if name == "member.joined":
            joined[place] = event["seq"]
            left.pop(place, None)
        elif name == "member.left":
            left[place] = event["seq"]
        elif name == "chat.deleted":
            left |= {other: event["seq"] for other in joined if other[0] == event["chat_id"] and other not in left}
    stored = {(member["chat_id"], member["user_id"]): (member["joined_seq"], member["left_seq"]) for member in members}
    assert stored == {place: (seq, left.get(place)) for place, seq in joined.items()}
