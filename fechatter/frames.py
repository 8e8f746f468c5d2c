"""Frames: one committed event, encoded once, ready for every socket.

A frame is made either by the native batch (messages just sent) or by `storage.events` (everything else, and every replay); both give the
same bytes. The SSE block holds the event's JSON as its `data:` line, so other transports cut it out instead of encoding again.
"""

from __future__ import annotations

import msgspec

from fechatter.events import EventType
from fechatter.model import UserId, WorkspaceId, encode


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """One event of one workspace.

    Attributes:
        user_id: the person the event is about (the member who joined, the user who changed), else None.
        session_id: the session that ended, for `session.revoked`.
        block: the SSE block, `id:`, `event:` and `data:` lines and the empty line.
        own_block: what `user_id` itself is shown instead (its own `member.joined` carries the whole Chat).
        era: of `seq`.
    """

    workspace_id: WorkspaceId
    seq: int
    type: EventType
    chat_id: int | None
    user_id: int | None
    block: bytes
    own_block: bytes | None = None
    session_id: int | None = None
    era: str = ""

    def block_for(self, user_id: UserId) -> bytes:
        """The SSE block as that person is shown it."""
        if self.own_block is not None and self.user_id == user_id:
            return self.own_block
        return self.block


class Signal(msgspec.Struct, frozen=True, array_like=True):
    """An ephemeral fact for one person's own devices: no number, never in the log, may be lost."""

    workspace_id: WorkspaceId
    user_id: int
    block: bytes


def encode_block(era: str, seq: int, event_type: EventType, event: dict[str, object]) -> bytes:
    """Return the SSE block of an event; `event` is the result of `event_object`."""
    return b"id: %b.%d\nevent: %b\ndata: %b\n\n" % (
        era.encode(),
        seq,
        event_type.encode(),
        encode(event),
    )


def event_object(workspace_id: int, seq: int, event_type: EventType, chat_id: int | None, at: str, data: object) -> dict[str, object]:
    """Return the JSON object of one event, with its fields in the order of the contract."""
    return {
        "type": event_type.value,
        "seq": seq,
        "workspace_id": workspace_id,
        "chat_id": chat_id,
        "at": at,
        "data": data,
    }


def control_block(name: str, data: dict[str, object], position: object | None = None) -> bytes:
    """An SSE control frame (`hello`, `resumed`, `reset`, `closing`); `position` becomes its `id:`."""
    identity = b"" if position is None else b"id: %b\n" % str(position).encode()
    return identity + b"event: %b\ndata: %b\n\n" % (name.encode(), encode(data))


def block_json(block: bytes) -> bytes:
    """The JSON of a block's `data:` line, without decoding it."""
    start = block.index(b"\ndata: ") + 7
    return block[start:-2]
