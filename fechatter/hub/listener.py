"""One live connection: what waits to be written to it, and whether it keeps up.

The socket's writer takes everything that waits in one write; that coalescing is what makes delivery fast. A durable block
is never dropped in silence: a listener that cannot keep up is closed with the reason and resumes from its cursor.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from enum import StrEnum

import msgspec

from fechatter.frames import Frame
from fechatter.model import Position, SessionId, UserId, WorkspaceId

SLOW_EVENTS = 256
SLOW_BYTES = 1024 * 1024
BLOCKED_SECONDS = 2.0
"""A write that has waited so long means a blocked socket, not a busy loop."""
WRITE_BYTES = 64 * 1024
MAX_EVENTS = 20_000
MAX_BYTES = 32 * 1024 * 1024


class CloseReason(StrEnum):
    SLOW = "slow"
    REVOKED = "revoked"
    SHUTDOWN = "shutdown"
    UNAVAILABLE = "unavailable"
    GONE = "gone"
    """The client left; nobody is told."""


class Reader(msgspec.Struct, frozen=True):
    """Whose connection it is.

    Attributes:
        guest: as of the last frame passed.
    """

    user_id: UserId
    workspace_id: WorkspaceId
    session_id: SessionId
    guest: bool = False


class Replay(msgspec.Struct, frozen=True):
    """A replay of which a piece is told and the rest still in the log: where it began, and how far it has come."""

    start: Position
    reached: Position


class Listener:
    """
    Attributes:
        replay: set while there is more of it than may be held at once.
        joined_at: the head when the listener went live.
        after: its number; live frames up to it are never shown, because the replay showed them.
        chats: the chats whose events are shown, as of the last frame passed.
        closed: why it ends, once it ends.
        session_expires_at: milliseconds, as last looked up (`expiry.py`).
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.after = 0
        self.joined_at: Position | None = None
        self.session_expires_at = 0
        self.chats: set[int] = set()
        self.closed: CloseReason | None = None
        self.replay: Replay | None = None
        self.joining: list[Frame] | None = []
        self.overflowed = False
        self.pending: list[bytes] = []
        self.pending_bytes = 0
        self.abort: Callable[[], object] = lambda: None
        self._blocked_since: float | None = None
        self._wake: asyncio.Future[None] | None = None

    def offer(self, block: bytes) -> None:
        """Queue a block for the socket; nothing more once it is closed."""
        if self.closed is not None:
            return
        self.pending.append(block)
        self.pending_bytes += len(block)
        if self._wake is not None:
            self._wake_up()
        elif len(self.pending) > MAX_EVENTS or self.pending_bytes > MAX_BYTES:
            self.close(CloseReason.SLOW)

    def offer_signal(self, block: bytes) -> None:
        """Queue what may be lost: not for a listener that lags."""
        if len(self.pending) <= SLOW_EVENTS:
            self.offer(block)

    def _wake_up(self) -> None:
        wake, self._wake = self._wake, None
        if wake is not None and not wake.done():
            wake.set_result(None)

    async def wait(self, timeout_seconds: float) -> None:
        """Return when something waits, the listener is closed, or the time is over."""
        if self.pending or self.closed is not None or self.replay is not None:
            return
        loop = asyncio.get_running_loop()
        self._wake = loop.create_future()
        timer = loop.call_later(timeout_seconds, self._wake_up)
        try:
            await self._wake
        finally:
            timer.cancel()
            self._wake = None

    def take(self) -> bytes:
        """What waits, as one write; b"" when nothing does."""
        if self.pending_bytes > WRITE_BYTES:
            return self._take_some()
        if not self.pending:
            return b""
        blocks, self.pending, self.pending_bytes = self.pending, [], 0
        return blocks[0] if len(blocks) == 1 else b"".join(blocks)

    def _take_some(self) -> bytes:
        """The first blocks, up to a write's worth: what is in a write is a copy, what waits is shared."""
        count, size = 0, 0
        while count < len(self.pending) and (size == 0 or size + len(self.pending[count]) <= WRITE_BYTES):
            size += len(self.pending[count])
            count += 1
        taken, self.pending = self.pending[:count], self.pending[count:]
        self.pending_bytes -= size
        return b"".join(taken)

    def begin_anew(self, lost: Position) -> None:
        """Handle a log that does not contain this listener's position `lost`: a replay from there sends the client
        `reset`."""
        self.replay, self.joining = Replay(lost, lost), []
        self._wake_up()

    def write_started(self) -> None:
        self._blocked_since = time.monotonic()

    def write_ended(self) -> None:
        self._blocked_since = None

    def check_pace(self, now: float) -> None:
        """Close a listener whose socket is blocked while too much waits; give up a blocked write once it is closed.

        Args:
            now: `time.monotonic()`.
        """
        if self._blocked_since is None or now - self._blocked_since < BLOCKED_SECONDS:
            return
        if self.replay is not None or len(self.pending) > SLOW_EVENTS or self.pending_bytes > SLOW_BYTES:
            self.close(CloseReason.SLOW)
        if self.closed is not None:
            self.abort()

    def close(self, reason: CloseReason) -> None:
        """End the connection."""
        if self.closed is None:
            self.closed = reason
            self._wake_up()
