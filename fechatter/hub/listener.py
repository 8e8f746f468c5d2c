"""One live connection: its state, and the blocks that wait for its socket.

The blocks wait in a native stream. Its writer sends everything that waits in one write, which makes delivery fast. The
writer is the gateway, or a task of the app for a server without the gateway. A durable block is never dropped silently:
a listener that cannot keep up is closed with a reason, and its client resumes from its cursor.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import msgspec

from fechatter.frames import Frame, control_block
from fechatter.hub.states import Closed, CloseReason, Joining, Live, Replaying, State
from fechatter.model import Position, SessionId, UserId, WorkspaceId
from fechatter.native import Stream

SLOW_EVENTS = 256
SLOW_BYTES = 1024 * 1024
"""A listener with more pending events or bytes is closed if its socket is blocked."""
SIGNAL_EVENTS = SLOW_EVENTS // 2
SIGNAL_BYTES = SLOW_BYTES // 2
"""A listener with so many pending events or bytes receives no signals, so that signals never make it slow
(`native/src/hub/limits.rs`)."""
BLOCKED_SECONDS = 2.0
"""A write that takes longer is blocked by the socket, not by a busy loop."""
WRITE_BYTES = 64 * 1024
"""Maximum size of one write, unless a single block is larger."""
MAX_EVENTS = 20_000
MAX_BYTES = 32 * 1024 * 1024
MAX_STALLED_BYTES = 64 * 1024 * 1024
"""Maximum memory of the blocks that wait for blocked sockets (`native/src/hub/limits.rs`)."""


class Reader(msgspec.Struct, frozen=True, gc=False):
    """The person and the session of a connection.

    Attributes:
        guest: whether the person is a guest, as of the last frame that passed.
        shows_presence: the person's preference, likewise.
    """

    user_id: UserId
    workspace_id: WorkspaceId
    session_id: SessionId
    guest: bool = False
    shows_presence: bool = True


class Listener:
    """The state and the pending blocks of one live connection.

    Attributes:
        reader: written by its workspace's feed only.
        state: see `states.py`; only the methods of this class change it.
        after: the number of `Live.since`. Live frames up to it are never shown, because the replay showed them.
        stream: the blocks that wait for the socket, and the chats whose events are shown.
        counted: whether presence knows of this listener; written by the hub only.
        check_session_at: when the session is read again, in milliseconds; written by `expiry.py` only.
        received: called when a message of the client waits in the stream.
    """

    __slots__ = (
        "_abort",
        "_blocked_since",
        "_handed_over",
        "_wake",
        "after",
        "check_session_at",
        "counted",
        "reader",
        "received",
        "state",
        "stream",
    )

    def __init__(self, reader: Reader, stream: Stream) -> None:
        self.reader = reader
        self.state: State = Joining()
        self.after = 0
        self.check_session_at = 0
        self.counted = False
        self.stream = stream
        self.received: Callable[[], object] = _nothing
        self._handed_over = False
        self._abort: Callable[[], object] = _nothing
        self._blocked_since: float | None = None
        self._wake: asyncio.Future[None] | None = None

    @property
    def closed(self) -> CloseReason | None:
        """The reason why the connection ends, once it ends."""
        return self.state.reason if isinstance(self.state, Closed) else None

    @property
    def pending(self) -> int:
        """The number of blocks that wait."""
        return self.stream.pending

    @property
    def pending_bytes(self) -> int:
        """The size of the blocks that wait."""
        return self.stream.pending_bytes

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

    def go_live(self, live: Live) -> list[Frame]:
        """Show every frame after `live.since` from now on, and queue the held signals. Returns the held frames."""
        joining = self.state if isinstance(self.state, Joining) else Joining()
        self.after = live.since.seq
        self._enter(live)
        for block in joining.signals:
            self.offer_signal(block)
        return joining.held

    def reset(self, lost: Position) -> None:
        """Handle a log that does not contain this listener's position `lost`: a replay from it sends the client
        `reset`."""
        self._enter(Replaying(lost, lost))
        self.wake_up()

    def close(self, reason: CloseReason) -> None:
        """End the connection. If it is closed already, the first reason stays."""
        if not isinstance(self.state, Closed):
            self.state = Closed(reason)
            self.received = _nothing  # it refers to this listener
            self.wake_up()
            self._end(reason)

    def hand_over(self) -> int:
        """Let the gateway write the blocks from now on. Returns the id of the stream."""
        self._handed_over = True
        self.stream.hand_over()
        if isinstance(self.state, Closed):
            self._end(self.state.reason)
        elif isinstance(self.state, Replaying):
            self.stream.report_empty()
        return self.stream.id

    def _end(self, reason: CloseReason) -> None:
        if not self._handed_over or reason is CloseReason.GONE:
            self.stream.end(b"")
        else:
            discard = reason is CloseReason.SLOW
            self.stream.end(closing_block(reason), discard=discard, close_code=reason.close_code)

    def _enter(self, state: State) -> None:
        if isinstance(self.state, Closed):
            return
        self.state = state
        if self._handed_over and isinstance(state, Replaying):
            self.stream.report_empty()

    def offer(self, block: bytes) -> None:
        """Queue a block for the socket, unless the listener is closed."""
        if type(self.state) is Closed:
            return
        if self.stream.offer(block):
            self.close(CloseReason.SLOW)
        self.wake_up()

    def offer_signal(self, block: bytes) -> None:
        """Queue a block that may be lost, unless SIGNAL_EVENTS blocks or SIGNAL_BYTES wait or the socket is blocked.

        While the log is being read, the block is held. It follows the events from the log, because it may be newer.
        """
        if isinstance(self.state, Joining):
            self.state.hold_signal(block)
        elif isinstance(self.state, Live):
            self.stream.offer_signal(block)

    def wake_up(self) -> None:
        """Let a waiting writer examine this listener again."""
        wake, self._wake = self._wake, None
        if wake is not None and not wake.done():
            wake.set_result(None)

    async def wait(self, timeout_seconds: float) -> None:
        """Return when a block is pending, more of a replay can be read, the listener is closed, or the time is up."""
        if isinstance(self.state, Closed | Replaying) or not self.stream.await_block():
            return
        loop = asyncio.get_running_loop()
        self._wake = loop.create_future()
        timer = loop.call_later(timeout_seconds, self.wake_up)
        try:
            await self._wake
        finally:
            timer.cancel()
            self._wake = None

    def take(self) -> bytes:
        """Remove pending blocks and return them as one write; b"" if no block is pending."""
        return self.stream.take(WRITE_BYTES)

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
        self.close_if_slow()
        if isinstance(self.state, Closed):
            self._abort()

    def close_if_slow(self) -> None:
        """Close a listener whose socket is blocked, if too much waits."""
        if isinstance(self.state, Replaying) or self.pending > SLOW_EVENTS or self.pending_bytes > SLOW_BYTES:
            self.close(CloseReason.SLOW)


def closing_block(reason: CloseReason) -> bytes:
    """Return the last block of a stream."""
    return control_block("closing", {"reason": reason})


def _nothing() -> None:
    pass
