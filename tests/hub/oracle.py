"""A test oracle that sees every commit: all events ever logged, and the intervals of every membership."""

from __future__ import annotations

from typing import Any

import orjson

from fechatter.events import EVENTS, EventType, Visibility
from fechatter.frames import Frame, block_json


class Violation(AssertionError):
    """A rule of delivery was broken."""


class Oracle:
    """Records every committed event, including events that were deleted later. `eras` are the eras of their numbers."""

    def __init__(self) -> None:
        self.log: dict[tuple[int, int], dict[str, Any]] = {}
        self.eras: dict[tuple[int, int], str] = {}
        self.written: dict[str, tuple[int, int]] = {}

    def capture(self, frames: list[Frame]) -> None:
        for frame in frames:
            event = orjson.loads(block_json(frame.block))
            if EVENTS[frame.type].visibility is Visibility.PERSON:
                event["person"] = frame.user_id
            self.log.setdefault((frame.workspace_id, frame.seq), event)
            if self.eras.setdefault((frame.workspace_id, frame.seq), frame.era) != frame.era:
                raise Violation(f"number {frame.seq} in two eras")
            message = (event["data"] or {}).get("message")
            if frame.type in (EventType.MESSAGE_CREATED, EventType.MESSAGE_EDITED) and message and message["content"]:
                self.written.setdefault(message["content"], (message["chat_id"], frame.seq))

    def copy(self) -> Oracle:
        made = Oracle()
        made.log, made.eras, made.written = dict(self.log), dict(self.eras), dict(self.written)
        return made

    def go_back(self, workspace_id: int, foreign_chat: int, earlier: Oracle) -> None:
        """Forget what happened in the workspace since `earlier`. `foreign_chat` belongs to the other workspace."""
        for own, before in ((self.log, earlier.log), (self.eras, earlier.eras)):
            _put_back(own, before, workspace_id)
        foreign = {text: place for text, place in self.written.items() if place[0] == foreign_chat}
        self.written = foreign | earlier.written

    def intervals(self, user_id: int, chat_id: int) -> list[tuple[int, int | None]]:
        """Return the first and the last number of each membership of the person in the chat."""
        found: list[tuple[int, int | None]] = []
        for (_, seq), event in sorted(self.log.items()):
            if event["chat_id"] != chat_id:
                continue
            member = (event["data"].get("member") or {}).get("user_id")
            if event["type"] == "member.joined" and member == user_id:
                found.append((seq, None))
            ended = event["type"] == "chat.deleted" or (event["type"] == "member.left" and member == user_id)
            if ended and found and found[-1][1] is None:
                found[-1] = (found[-1][0], seq)
        return found

    def was_member(self, user_id: int, chat_id: int, seq: int) -> bool:
        """Return whether the person was a member at this number, including the numbers of joining and leaving."""
        return any(start <= seq and (end is None or seq <= end) for start, end in self.intervals(user_id, chat_id))

    def numbers(self, workspace_id: int) -> list[int]:
        return sorted(seq for owner, seq in self.log if owner == workspace_id)


def _put_back(own: dict[tuple[int, int], Any], before: dict[tuple[int, int], Any], workspace_id: int) -> None:
    for place in [place for place in own if place[0] == workspace_id]:
        del own[place]
    own.update({place: value for place, value in before.items() if place[0] == workspace_id})
