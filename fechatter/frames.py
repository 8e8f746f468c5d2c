"""Frames: one committed event, encoded once for every socket.

The native batch encodes the frames of new messages; `storage.events` encodes all other frames and every replay. Both
produce the same bytes. The `data:` line of the SSE block is the event's JSON, so `block_json` returns it without
encoding it again.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from fechatter.events import EventType
from fechatter.model import UserId, WorkspaceId, encode


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """One event of one workspace.

    Attributes:
        user_id: the person whom the event is about (the new member, the changed user), else None.
        session_id: the ended session, for `session.revoked`.
        block: the SSE block: the lines `id:`, `event:` and `data:`, and the empty line.
        own_block: the block for `user_id` instead of `block`; the own `member.joined` contains the whole Chat.
        era: the era of `seq`.
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
        """Return the SSE block for a person."""
        if self.own_block is not None and self.user_id == user_id:
            return self.own_block
        return self.block


TYPING, RECEIPT, PRESENCE = "typing", "receipt", "presence"
"""Kinds of signals that a node treats specially; the kind of other signals is "". PRESENCE is only for nodes."""


class Signal(msgspec.Struct, frozen=True, array_like=True):
    """Ephemeral data without a number. A signal is not in the log, and may be lost.

    It is for the devices of one person, for the listeners of a chat (`for_chat`), or for several people (`for_people`).
    A node of an earlier version reads only the first three fields, so `user_id` is 0 unless the signal is for one
    person.

    Attributes:
        chat_id: the chat whose listeners receive the signal; 0 if it is for people.
        except_user_id: the person to whom a signal of a chat is not sent.
        user_ids: several people who receive the signal.
    """

    workspace_id: WorkspaceId
    user_id: int
    block: bytes
    chat_id: int = 0
    except_user_id: int = 0
    user_ids: tuple[int, ...] = ()
    kind: str = ""

    @classmethod
    def for_chat(
        cls, workspace_id: WorkspaceId, chat_id: int, block: bytes, *, except_user_id: int = 0, kind: str = ""
    ) -> Signal:
        """Return a signal for the listeners of a chat, except those of one person."""
        return cls(workspace_id, 0, block, chat_id, except_user_id, kind=kind)

    @classmethod
    def for_people(cls, workspace_id: WorkspaceId, user_ids: Iterable[int], block: bytes) -> Signal:
        """Return a signal for several people."""
        return cls(workspace_id, 0, block, user_ids=tuple(user_ids))

    @property
    def people(self) -> tuple[int, ...]:
        """The people who receive the signal, if it is not for a chat."""
        return self.user_ids or (self.user_id,)


def encode_block(era: str, seq: int, event_type: EventType, event: dict[str, object]) -> bytes:
    """Return the SSE block of an event; `event` is the result of `event_object`."""
    return b"id: %b.%d\nevent: %b\ndata: %b\n\n" % (
        era.encode(),
        seq,
        event_type.encode(),
        encode(event),
    )


def event_object(
    workspace_id: int, seq: int, event_type: EventType, chat_id: int | None, at: str, data: object
) -> dict[str, object]:
    """Return the JSON object of one event, with its fields in the order of the contract."""
    return {
        "type": event_type.value,
        "seq": seq,
        "workspace_id": workspace_id,
        "chat_id": chat_id,
        "at": at,
        "data": data,
    }


def control_block(name: str, data: object, position: object | None = None) -> bytes:
    """Return the SSE block of a control frame (`hello`, `resumed` …) or a signal; `position` becomes its `id:`."""
    identity = b"" if position is None else b"id: %b\n" % str(position).encode()
    return identity + b"event: %b\ndata: %b\n\n" % (name.encode(), encode(data))


def block_json(block: bytes) -> bytes:
    """Return the JSON of a block's `data:` line, without decoding it."""
    start = block.index(b"\ndata: ") + 7
    return block[start:-2]
