"""The shapes of the frames of live streams: events, signals and control frames.

The types of events are made from the definitions in `fechatter/events.py`.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Literal, cast

import msgspec

from fechatter.chats.reading import ReceiptMoved
from fechatter.events import EVENTS as DEFINED
from fechatter.events import EventData, EventKind, EventType, Visibility
from fechatter.model import MAX_ID, POSITION_PATTERN, AnyChat, ReadMark, Timestamp
from fechatter.signals.presence import PresenceChanged
from fechatter.signals.typing import TypingStarted

Cursor = Annotated[
    str,
    msgspec.Meta(
        description="A position in the workspace's log: opaque text. The part after the last dot is an event's number.",
        examples=["5f2c81d0.1204"],
        extra_json_schema={"pattern": f"^{POSITION_PATTERN}$"},
    ),
]
Seq = Annotated[
    int,
    msgspec.Meta(ge=0, le=MAX_ID, description="The event's number, without gaps in its workspace.", examples=[1204]),
]


class EventOf(msgspec.Struct, frozen=True, tag_field="type", kw_only=True):
    """The fields of every event. Events are ordered by `seq`; `at` is only for display."""

    seq: Seq
    workspace_id: Annotated[int, msgspec.Meta(examples=[1])]
    at: Timestamp


class ChatEvent(EventOf, frozen=True, kw_only=True):
    """An event of a chat."""

    chat_id: AnyChat


class WorkspaceEvent(EventOf, frozen=True, kw_only=True):
    """An event of the workspace."""

    chat_id: None


def _event(event_type: EventType, kind: EventKind, data: type[EventData]) -> type[EventOf]:
    """Make the type of an event: `MESSAGE_CREATED` becomes the struct `MessageCreated`, with its tag and its data."""
    base = WorkspaceEvent if kind.visibility is Visibility.WORKSPACE else ChatEvent
    name = event_type.name.title().replace("_", "")
    fields, tag = [("data", data)], str(event_type)
    made = msgspec.defstruct(name, fields, bases=(base,), tag=tag, kw_only=True, frozen=True, module=__name__)
    made.__doc__ = kind.meaning
    return cast(type[EventOf], made)


EVENTS: dict[str, type[EventOf]] = {
    str(event_type): _event(event_type, kind, kind.data)
    for event_type, kind in DEFINED.items()
    if kind.data is not None and kind.visibility is not Visibility.SERVER
}
"""Events by their `type`, which is also their frame's `event:`."""

if TYPE_CHECKING:
    Event = EventOf
else:
    Event = reduce(or_, EVENTS.values())
    """Everything that changes what a client shows."""


class ReadData(msgspec.Struct, frozen=True):
    """The current read mark."""

    read: ReadMark


class ReadMoved(msgspec.Struct, frozen=True, tag_field="type", tag="read.moved"):
    """A signal to a person's own devices: the read mark moved. It has no number and can be lost, repeated or late."""

    workspace_id: Annotated[int, msgspec.Meta(examples=[1])]
    chat_id: AnyChat
    at: Timestamp
    data: ReadData


class Hello(msgspec.Struct, frozen=True):
    """The first frame. `epoch` and `head` together are the newest position."""

    epoch: Annotated[str, msgspec.Meta(examples=["5f2c81d0"])]
    head: Seq
    heartbeat_seconds: Annotated[
        int, msgspec.Meta(description="A silence of three times this long means a broken connection.", examples=[20])
    ]
    session_id: Annotated[int, msgspec.Meta(examples=[90])]


class Resumed(msgspec.Struct, frozen=True, rename={"start": "from"}):
    """All missed events have been sent. `reads` are the person's read marks in all their chats, and replace yours."""

    start: Cursor
    to: Cursor
    reads: list[ReadMark]


class Reset(msgspec.Struct, frozen=True):
    """Events cannot continue from the cursor. Load `/api/sync`; the stream continues live from this frame's `id:`.

    `reason` is `epoch` if the log does not contain the position, because it went back in time or belongs to another
    server.
    """

    reason: Literal["epoch", "ahead", "pruned", "too_many"]
    epoch: Annotated[str, msgspec.Meta(examples=["5f2c81d0"])]
    head: Seq


class Closing(msgspec.Struct, frozen=True):
    """The last frame.

    The `reason` is `slow` if the client read too slowly, and `revoked` if its access ended. It is `shutdown` if the
    server stops, and `unavailable` if the server cannot continue the stream now.
    """

    reason: Literal["slow", "revoked", "shutdown", "unavailable"]


CONTROL: dict[str, type[msgspec.Struct]] = {
    "hello": Hello,
    "resumed": Resumed,
    "reset": Reset,
    "closing": Closing,
    "read.moved": ReadMoved,
    "presence.changed": PresenceChanged,
    "receipt.moved": ReceiptMoved,
    "typing.started": TypingStarted,
}
"""Frames that are not in the log, by their `event:`."""
