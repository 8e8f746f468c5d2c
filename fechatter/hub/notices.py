"""The notices of native streams, and the streams that the gateway writes.

The gateway takes the blocks of a stream on its own thread, so the stream needs no task. The main loop reads the
notices. Once a second, it looks for streams that need a heartbeat, and for streams whose client does not read.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

from fechatter.hub.listener import BLOCKED_SECONDS, Listener
from fechatter.hub.states import CloseReason
from fechatter.native import Streams
from fechatter.tasks import Tasks

ATTACH_SECONDS = 5.0
"""If the gateway has not taken a stream after this time, the client has left before the response."""


class Notices:
    """Reacts to the notices of one node's streams. Runs on the main loop.

    Args:
        streams: the native side of every stream of the node.
        quiet_seconds: a stream without a write for this time gets a heartbeat.
        read_on: queues the next piece of a replay.
        heartbeat: returns a heartbeat, or b"".
        leave: removes a listener.

    Attributes:
        closed: the number of closed streams of the gateway by reason.
    """

    def __init__(
        self,
        streams: Streams,
        tasks: Tasks,
        quiet_seconds: float,
        read_on: Callable[[Listener], Awaitable[None]],
        heartbeat: Callable[[Listener], bytes],
        leave: Callable[[Listener], None],
    ) -> None:
        self._streams = streams
        self._tasks = tasks
        self._quiet_seconds = quiet_seconds
        self._read_on, self._heartbeat, self._leave = read_on, heartbeat, leave
        self._listeners: dict[int, Listener] = {}
        self._reading: set[Listener] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.closed: Counter[str] = Counter()

    def start(self) -> None:
        """Read notices as they arrive."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._streams.descriptor, self.read)

    def watch(self, listener: Listener) -> None:
        """React to the notices of a listener."""
        self._listeners[listener.stream.id] = listener

    def forget(self, listener: Listener) -> None:
        """Ignore further notices of a listener."""
        self._listeners.pop(listener.stream.id, None)

    def close(self) -> None:
        """Stop reading notices."""
        if self._loop is not None:
            self._loop.remove_reader(self._streams.descriptor)
            self._loop = None

    def read(self) -> None:
        """Remove streams that have ended, continue replays, wake the app's writers, close full streams and pass on that
        a client has sent a message."""
        for stream_id, notice in self._streams.notices():
            listener = self._listeners.get(stream_id)
            if listener is None:
                continue
            if notice == "ready":
                listener.wake_up()
            elif notice == "received":
                listener.received()
            elif notice == "full":
                listener.close(CloseReason.SLOW)
            elif notice == "left":
                self._remove(listener)
            elif listener not in self._reading:
                self._reading.add(listener)
                self._tasks.start("continue a replay", self.reading(listener, self._read_on(listener)))

    async def reading(self, listener: Listener, read: Awaitable[None]) -> None:
        """Await a read that attaches the listener, and remove the listener if its connection has ended meanwhile."""
        self._reading.add(listener)
        try:
            await read
        finally:
            self._reading.discard(listener)
            if listener.stream.id not in self._listeners:
                self._leave(listener)

    def _remove(self, listener: Listener) -> None:
        self.forget(listener)
        listener.close(CloseReason.GONE)
        self.closed[listener.closed or CloseReason.GONE] += 1
        # A replay that is being read would attach the listener again.
        if listener not in self._reading:
            self._leave(listener)

    def examine(self) -> None:
        """Send heartbeats to quiet streams, and close slow ones."""
        stuck, quiet = self._streams.examine(ATTACH_SECONDS, BLOCKED_SECONDS, self._quiet_seconds)
        for listener in self._known(stuck):
            if listener.closed is None:
                listener.close_if_slow()
            else:
                self._remove(listener)  # the client does not even read the reason
        for listener in self._known(quiet):
            if block := self._heartbeat(listener):
                listener.offer(block)

    def _known(self, ids: list[int]) -> list[Listener]:
        return [self._listeners[each] for each in ids if each in self._listeners]
