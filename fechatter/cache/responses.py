"""Reports changes to the gateway's cache of responses, before anybody sees the changes.

`passed` receives every committed event before a client does. The writer, the publisher and the hub call it. The
publisher also reports the events of other nodes, and the hub reports the events that it reads from the log. The cache
itself is in native/src/gateway/cache.
"""

from __future__ import annotations

from collections.abc import Sequence

from fechatter import native
from fechatter.events import EventType
from fechatter.frames import Frame
from fechatter.model import Position
from fechatter.settings import Settings

_MESSAGES = frozenset({EventType.MESSAGE_CREATED, EventType.MESSAGE_EDITED, EventType.MESSAGE_DELETED})
"""The events that change no rights."""


class ResponseCache:
    """Reports events to the cache of the gateway. Any thread may call it.

    Args:
        kept: the native cache; None disables the cache.

    Attributes:
        native: the cache, for the gateway.
    """

    def __init__(self, kept: native.ResponseCache | None = None) -> None:
        self.native = kept

    def passed(self, frames: Sequence[Frame]) -> None:
        """Drop the responses and grants that committed events invalidate. Call this before anybody sees the events."""
        if self.native is not None and frames and self.native.is_used():
            self.native.note_events([_event(each) for each in frames])

    def shown(self, workspace_id: int, position: Position) -> None:
        """Serve no older state than this position from now on.

        Call this before somebody sees the position, unless it is the `Event-Cursor` of a response.
        """
        if self.native is not None:
            self.native.note_shown(workspace_id, position.era, position.seq)

    def clear(self) -> None:
        """Drop everything, for example because a log went back in time."""
        if self.native is not None:
            self.native.clear()


def _event(frame: Frame) -> tuple[int, int, str, int, int, bool]:
    """Return an event for the cache; 0 stands for every chat or person."""
    rights = frame.type not in _MESSAGES
    return frame.workspace_id, frame.seq, frame.era, frame.chat_id or 0, frame.user_id or 0, rights


def open_responses(settings: Settings) -> ResponseCache:
    """Create the cache. Only the gateway of `fechatter serve` uses it."""
    size = settings.response_cache_bytes if settings.gateway else 0
    return ResponseCache(native.ResponseCache(size) if size else None)
