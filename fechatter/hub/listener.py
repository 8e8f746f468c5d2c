"""One live connection: its state, and the blocks that wait for its socket.

The stream's writer sends everything that waits in one write, which makes delivery fast. A durable block is never
dropped silently. A listener that cannot keep up is closed with a reason, and its client resumes from its cursor.
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
"""A listener with more pending events or bytes is closed if its socket is blocked."""
BLOCKED_SECONDS = 2.0
"""A write that takes longer is blocked by the socket, not by a busy loop."""
WRITE_BYTES = 64 * 1024
"""Maximum size of one write, unless a single block is larger."""
MAX_EVENTS = 20_000
MAX_BYTES = 32 * 1024 * 1024
MAX_JOINING_FRAMES = 2_000


class CloseReason(StrEnum):
    SLOW = "slow"
    REVOKED = "revoked"
    SHUTDOWN = "shutdown"
    UNAVAILABLE = "unavailable"
    GONE = "gone"
    """The client has left, so the reason is not sent."""


class Reader(msgspec.Struct, frozen=True):
    """The person and the session of a connection.

    Attributes:
        guest: whether the person is a guest, as of the last frame that passed.
    """

    user_id: UserId
    workspace_id: WorkspaceId
    session_id: SessionId
    guest: bool = False


class Joining(msgspec.Struct):
    """The log is being read. Live frames are held until they can follow what was read.

    Attributes:
        held: the live frames, in order.
        signals: the blocks of signals that may be newer than what is read.
        overflowed: more than MAX_JOINING_FRAMES came, so the log must be read again.
    """

    held: list[Frame] = []
    signals: list[bytes] = []
    overflowed: bool = False

    def hold(self, frame: Frame) -> None:
        if len(self.held) < MAX_JOINING_FRAMES:
            self.held.append(frame)
        else:
            self.overflowed = True

    def hold_signal(self, block: bytes) -> None:
        if len(self.signals) <= SLOW_EVENTS:
            self.signals.append(block)


class Replaying(msgspec.Struct, frozen=True):
    """Only a piece of a replay was read. The rest is read once no block waits for the socket.

    Attributes:
        start: the position from which the replay began.
        reached: the position up to which it was read.
    """

    start: Position
    reached: Position


class Live(msgspec.Struct, frozen=True):
    """Each frame is shown as it passes.

    Attributes:
        since: the head of the log when the replay was complete.
    """

    since: Position


class Closed(msgspec.Struct, frozen=True):
    """The connection ends. A closed listener stays closed."""

    reason: CloseReason


State = Joining | Replaying | Live | Closed


class Listener:
    """The state and the pending blocks of one live connection.

    Attributes:
        reader: written by its workspace's feed only.
        state: see the classes above; only the methods of this class change it.
        after: the number of `Live.since`. Live frames up to it are never shown, because the replay showed them.
        chats: the chats whose events are shown, as of the last frame that passed; written by the feed only.
        pending: the blocks that wait for the socket.
        check_session_at: when the session is read again, in milliseconds; written by `expiry.py` only.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.state: State = Joining()
        self.after = 0
        self.check_session_at = 0
        self.chats: set[int] = set()
        self.pending: list[bytes] = []
        self.pending_bytes = 0
        self._abort: Callable[[], object] = lambda: None
        self._blocked_since: float | None = None
        self._wake: asyncio.Future[None] | None = None

    @property
    def closed(self) -> CloseReason | None:
        """The reason why the connection ends, once it ends."""
        return self.state.reason if isinstance(self.state, Closed) else None

    @property
    def held(self) -> int:
        """The number of live frames that wait for the replay."""
        return len(self.state.held) if isinstance(self.state, Joining) else 0

    def join(self) -> Joining:
        """Hold live frames while the log is read. Returns the state that holds them."""
        joining = Joining()
        self._enter(joining)
        return joining

    def pause_replay(self, replay: Replaying) -> None:
        """Continue the replay later. Live frames need not be held, because the log will contain them."""
        self._enter(replay)

    def go_live(self, head: Position) -> list[Frame]:
        """Show every frame after `head` from now on, and queue the held signals. Returns the held frames."""
        joining = self.state if isinstance(self.state, Joining) else Joining()
        self.after = head.seq
        self._enter(Live(head))
        for block in joining.signals:
            self.offer_signal(block)
        return joining.held

    def reset(self, lost: Position) -> None:
        """Handle a log that does not contain this listener's position `lost`: a replay from there sends the client
        `reset`."""
        self._enter(Replaying(lost, lost))
        self._wake_up()

    def close(self, reason: CloseReason) -> None:
        """End the connection. If it is closed already, the first reason stays."""
        if not isinstance(self.state, Closed):
            self.state = Closed(reason)
            self._wake_up()

    def _enter(self, state: State) -> None:
        if not isinstance(self.state, Closed):
            self.state = state

    def offer(self, block: bytes) -> None:
        """Queue a block for the socket, unless the listener is closed."""
        if type(self.state) is Closed:
            return
        self.pending.append(block)
        self.pending_bytes += len(block)
        if self._wake is not None:
            self._wake_up()
        elif len(self.pending) > MAX_EVENTS or self.pending_bytes > MAX_BYTES:
            self.close(CloseReason.SLOW)

    def offer_signal(self, block: bytes) -> None:
        """Queue a block that may be lost, unless more than SLOW_EVENTS blocks are pending.

        While the log is read, the block waits until what was read is queued, because it may be newer.
        """
        if isinstance(self.state, Joining):
            self.state.hold_signal(block)
        elif isinstance(self.state, Live) and len(self.pending) <= SLOW_EVENTS:
            self.offer(block)

    def _wake_up(self) -> None:
        wake, self._wake = self._wake, None
        if wake is not None and not wake.done():
            wake.set_result(None)

    async def wait(self, timeout_seconds: float) -> None:
        """Return when a block is pending, more of a replay can be read, the listener is closed, or the time is up."""
        if self.pending or isinstance(self.state, Closed | Replaying):
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
        """Remove pending blocks and return them as one write; b"" if no block is pending."""
        if self.pending_bytes > WRITE_BYTES:
            return self._take_some()
        if not self.pending:
            return b""
        blocks, self.pending, self.pending_bytes = self.pending, [], 0
        return blocks[0] if len(blocks) == 1 else b"".join(blocks)

    def _take_some(self) -> bytes:
        """Take the first blocks, up to WRITE_BYTES: a write copies blocks that listeners otherwise share."""
        count, size = 0, 0
        while count < len(self.pending) and (size == 0 or size + len(self.pending[count]) <= WRITE_BYTES):
            size += len(self.pending[count])
            count += 1
        taken, self.pending = self.pending[:count], self.pending[count:]
        self.pending_bytes -= size
        return b"".join(taken)

    def on_abort(self, abort: Callable[[], object]) -> None:
        """Set the function that cancels a blocked write."""
        self._abort = abort

    def write_started(self) -> None:
        """Record that a write to the socket began; `write_ended` records its end."""
        self._blocked_since = time.monotonic()

    def write_ended(self) -> None:
        self._blocked_since = None

    def check_pace(self, now: float) -> None:
        """Close a listener whose socket is blocked while too much waits; cancel the blocked write of a closed listener.

        Args:
            now: `time.monotonic()`.
        """
        if self._blocked_since is None or now - self._blocked_since < BLOCKED_SECONDS:
            return
        replaying = isinstance(self.state, Replaying)
        if replaying or len(self.pending) > SLOW_EVENTS or self.pending_bytes > SLOW_BYTES:
            self.close(CloseReason.SLOW)
        if isinstance(self.state, Closed):
            self._abort()
