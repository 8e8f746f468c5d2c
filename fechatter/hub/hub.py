"""The hub: every live listener of this node, and one feed for each of their workspaces.

The bus makes delivery fast; the log makes it complete. Once a second, the hub compares the feeds' positions with the
database's heads, and gaps are filled from the log (`gaps.py`). If the heads cannot be read for five seconds, the hub
closes the streams, so that no client has a gap without knowing it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

from fechatter.cache.responses import ResponseCache
from fechatter.errors import StorageError, TooManyRequests, Unauthorized, Unavailable
from fechatter.frames import Frame, Signal
from fechatter.hub import bounds, expiry, joining
from fechatter.hub.attendance import Attendance
from fechatter.hub.gaps import GapFiller
from fechatter.hub.listener import MAX_BYTES, MAX_EVENTS, Listener, Reader
from fechatter.hub.notices import Notices
from fechatter.hub.states import CloseReason, Live, Replaying
from fechatter.hub.workspace_feed import WorkspaceFeed
from fechatter.loops import Loop, LoopState
from fechatter.model import Position, WorkspaceId
from fechatter.native import Streams
from fechatter.queues import Queue
from fechatter.settings import Settings
from fechatter.signals.presence import Presence
from fechatter.storage import events
from fechatter.storage.engines.base import Database, Transaction
from fechatter.tasks import Tasks

log = logging.getLogger(__name__)

HEADS_EVERY_SECONDS = 1.0
HEADS_TIMEOUT_SECONDS = 5.0
MAX_PAUSE_SECONDS = 4.0
"""Maximum pause between tries while the database is unavailable, so that streams soon get their missed events."""
PACE_EVERY_SECONDS = 1.0
MAX_JOIN_TRIES = 5
STREAMS_RETRY_SECONDS = 10

Read = Callable[[Transaction], Awaitable[joining.Start]]


class Hub:
    """Passes committed frames and signals to the live listeners of this node. Runs on the main loop.

    Args:
        responses: learns what the hub reads from the log before a listener sees it.
        presence: learns whose streams are open.

    Attributes:
        attendance: reports the streams to presence.
        era: the current era, as last read from the database.
        gaps: reads events that the bus did not deliver from the log.
        native: the native side of every stream.
        notices: reacts to the notices of the native side.
    """

    def __init__(
        self,
        database: Database,
        tasks: Tasks,
        settings: Settings,
        responses: ResponseCache | None = None,
        presence: Presence | None = None,
    ) -> None:
        self._database = database
        self._responses = responses or ResponseCache()
        self._tasks = tasks
        self._settings = settings
        self._feeds: dict[int, WorkspaceFeed] = {}
        self.attendance = Attendance(self._feeds, presence)
        self._opening: dict[int, asyncio.Lock] = {}
        self._heads_read_at = time.monotonic()
        self._head_poll = Loop("head_poll", self._read_heads, HEADS_EVERY_SECONDS, MAX_PAUSE_SECONDS)
        self._session_expiry = Loop("session_expiry", self._close_ended, HEADS_EVERY_SECONDS, MAX_PAUSE_SECONDS)
        self._stopping = False
        self.era = database.era
        self.gaps = GapFiller(database, tasks, self._feeds, self._responses)
        self.native = Streams(MAX_EVENTS, MAX_BYTES)
        quiet = settings.heartbeat_seconds - PACE_EVERY_SECONDS / 2
        self.notices = Notices(self.native, tasks, quiet, self.read_on, self.heartbeat, self.leave)

    @property
    def listeners(self) -> int:
        """The number of live listeners of this node."""
        return sum(len(feed.listeners) for feed in self._feeds.values())

    def streams(self) -> list[Listener]:
        """Return every live listener of this node."""
        return [listener for feed in self._feeds.values() for listener in feed.listeners]

    @property
    def workspaces(self) -> int:
        """The number of workspaces with a listener on this node."""
        return len(self._feeds)

    def queues(self) -> list[Queue]:
        return bounds.queues(self._feeds.values, self.native)

    def start(self) -> None:
        """Start the background tasks: the head poll, the session expiry and the pace check."""
        self.notices.start()
        self._tasks.start("head poll", self._head_poll.run())
        self._tasks.start("session expiry", self._session_expiry.run())
        self._tasks.start("pace of streams", self._keep_pace())

    def loops(self) -> list[LoopState]:
        return [self._head_poll.state, self._session_expiry.state, self.gaps.state]

    def receive(self, frames: list[Frame]) -> None:
        """Pass committed frames to the feeds. Frames may be late, repeated or out of order."""
        by_workspace: dict[int, list[Frame]] = {}
        for frame in frames:
            by_workspace.setdefault(frame.workspace_id, []).append(frame)
        for workspace_id, own in by_workspace.items():
            feed = self._feeds.get(workspace_id)
            if feed is not None:
                feed.receive(own)
                self.gaps.fill_soon(feed)

    def signal(self, signals: list[Signal]) -> None:
        """Pass signals to the live listeners to whom they are addressed."""
        for signal in signals:
            feed = self._feeds.get(signal.workspace_id)
            if feed is not None:
                feed.signal(signal)

    async def open(self, reader: Reader, cursor: Position | None, seen: Sequence[Position] = ()) -> Listener:
        """Open a live listener. It is attached before its replay is read, so that no event is lost in between.

        Args:
            cursor: the position after which missed events are replayed; None for a stream without a replay.
            seen: positions in the client's responses. They are later than `cursor` if a response was faster than the
                stream.

        Raises:
            Unauthorized: the session has ended.
            TooManyRequests: the person already has the maximum number of streams on this node.
            Unavailable: the server is stopping, or events came faster than the replay could be read.
            StorageError: the database cannot be read.
        """
        if self._stopping:
            raise Unavailable("The server is stopping.", code="stopping")
        feed = await self._feed(reader.workspace_id)
        if feed.streams_of(reader.user_id) >= self._settings.streams_per_person:
            retry = STREAMS_RETRY_SECONDS
            raise TooManyRequests("Close another stream first.", code="too_many_streams", retry_after_seconds=retry)
        listener = Listener(reader, self.native.open())
        self.notices.watch(listener)
        try:
            await self._join(feed, listener, lambda tx: joining.begin(tx, reader, cursor, seen, self._settings))
        except BaseException:
            self.leave(listener)
            raise
        self.attendance.opened(listener)
        return listener

    async def resume(self, listener: Listener, cursor: Position, seen: Sequence[Position]) -> None:
        """Begin a live stream again, with a replay from a cursor. Another `hello` comes before what is replayed."""
        feed = self._feeds.get(listener.reader.workspace_id)
        if feed is None or not isinstance(listener.state, Live):
            listener.close(CloseReason.UNAVAILABLE)  # its log was lost at this moment
            return
        feed.suspend(listener)
        reader = listener.reader
        begin = self._rejoin(feed, listener, lambda tx: joining.begin(tx, reader, cursor, seen, self._settings))
        await self.notices.reading(listener, begin)

    async def read_on(self, listener: Listener) -> None:
        """Queue the next piece of a long replay if no block is pending. The stream's writer demands it."""
        replay, feed = listener.state, self._feeds.get(listener.reader.workspace_id)
        if not isinstance(replay, Replaying) or feed is None or listener.pending:
            return
        reader = listener.reader
        await self._rejoin(feed, listener, lambda tx: joining.go_on(tx, reader, replay, self._settings))

    async def _rejoin(self, feed: WorkspaceFeed, listener: Listener, read: Read) -> None:
        """Join, or close the stream if that is impossible."""
        try:
            await self._join(feed, listener, read)
        except Unauthorized:
            listener.close(CloseReason.REVOKED)
        except (Unavailable, StorageError) as error:
            log.warning("a replay in workspace %d was cancelled: %s", feed.workspace_id, error)
            listener.close(CloseReason.UNAVAILABLE)

    async def _join(self, feed: WorkspaceFeed, listener: Listener, read: Read) -> None:
        """Queue what `read` returns, and go live unless more must be read."""
        for _ in range(MAX_JOIN_TRIES):
            frames = feed.attach(listener)
            began = feed.sequencer
            position = began.position
            start = await self._database.read(read)
            if start.head.seq < position:
                await self.gaps.fill(feed)
            if feed.sequencer is not began:
                continue  # the log went back in time during the read, so the rows may belong to either life
            if start.replay is not None or not frames.overflowed:
                break
        else:
            raise Unavailable("Events come faster than they can be read.", code="stream_behind")
        self._responses.shown(feed.workspace_id, start.head)
        feed.begin(listener, start)
        self.attendance.renewed(listener)

    def leave(self, listener: Listener) -> None:
        """Remove a listener whose connection has ended."""
        self.notices.forget(listener)
        self.attendance.closed(listener)
        feed = self._feeds.get(listener.reader.workspace_id)
        if feed is None:
            return
        feed.detach(listener)
        if feed.is_empty:
            del self._feeds[feed.workspace_id]

    def position(self, listener: Listener) -> Position | None:
        """Return the position up to which everything was delivered; None if blocks are pending or it is not live."""
        feed, state = self._feeds.get(listener.reader.workspace_id), listener.state
        if feed is None or listener.pending or not isinstance(state, Live):
            return None
        place = feed.sequencer.place
        return state.since if state.since.seq > place.seq else place

    def heartbeat(self, listener: Listener) -> bytes:
        """Return an empty block with the position of a quiet stream; b"" if it needs none."""
        position = self.position(listener)
        return b"" if position is None else b"id: %b\n\n" % str(position).encode()

    def stop(self) -> None:
        """Close every stream with the reason `shutdown`, and refuse new ones."""
        self._stopping = True
        self._close_all(CloseReason.SHUTDOWN)

    def _close_all(self, reason: CloseReason) -> None:
        for feed in self._feeds.values():
            feed.close(reason)

    async def _feed(self, workspace_id: WorkspaceId) -> WorkspaceFeed:
        """Return the workspace's feed; a new one begins at the database's head. Raises Unauthorized: the workspace was
        removed."""
        lock = self._opening.setdefault(workspace_id, asyncio.Lock())
        try:
            async with lock:
                feed = self._feeds.get(workspace_id)
                if feed is None:
                    feed = self._feeds[workspace_id] = await self._open_feed(workspace_id)
                return feed
        finally:
            if not lock.locked():
                self._opening.pop(workspace_id, None)

    async def _open_feed(self, workspace_id: WorkspaceId) -> WorkspaceFeed:
        try:
            heads = await self._database.read(lambda tx: events.heads(tx, workspace_id))
        except LookupError as error:
            raise Unauthorized("The session has ended.", code="session_ended") from error
        prefer = self.attendance.prefer
        return WorkspaceFeed(workspace_id, heads.position, heads.current_era, self.native, prefer)

    async def _keep_pace(self) -> None:
        """Close streams whose client is slow, and all streams if the heads could not be read for too long."""
        while True:
            await asyncio.sleep(PACE_EVERY_SECONDS)
            now = time.monotonic()
            if now - self._heads_read_at > HEADS_TIMEOUT_SECONDS:
                self._close_all(CloseReason.UNAVAILABLE)
            for listener in self.streams():
                listener.check_pace(now)
            self.notices.examine()

    async def _close_ended(self) -> None:
        async with asyncio.timeout(HEADS_TIMEOUT_SECONDS):
            await expiry.close_ended(self._database, self.streams(), self._responses)

    async def _read_heads(self) -> None:
        """Read the head of each live workspace's log, and whether the log still contains the feed's position.

        Raises:
            StorageError, TimeoutError: the log could not be read.
        """
        feeds = {feed.workspace_id: (feed, feed.sequencer, feed.sequencer.place) for feed in self._feeds.values()}
        places = {workspace_id: place for workspace_id, (_, _, place) in feeds.items()}
        async with asyncio.timeout(HEADS_TIMEOUT_SECONDS):
            self.era, checks = await self._database.read(lambda tx: events.check_positions(tx, places))
            self._heads_read_at = time.monotonic()
            for workspace_id, (feed, sequencer, place) in feeds.items():
                if workspace_id not in checks:  # the workspace was removed
                    feed.close(CloseReason.REVOKED)
                elif feed.sequencer is sequencer:
                    await self.gaps.follow(feed, place, self.era, checks[workspace_id])
                    self.gaps.fill_soon(feed)
