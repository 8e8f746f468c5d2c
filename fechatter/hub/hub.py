"""The hub: every live listener of this node, one room a workspace.

The bus makes delivery quick, the log makes it complete: rooms compare their position with the database's heads once a second, and fill what
is missing from the log. When the heads cannot be read for five seconds, the streams are closed: nobody is left with a silent gap.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from fechatter.errors import StorageError, TooManyRequests, Unauthorized, Unavailable
from fechatter.frames import Frame, Signal
from fechatter.hub import expiry, joining
from fechatter.hub.listener import MAX_BYTES, MAX_EVENTS, CloseReason, Listener, Reader
from fechatter.hub.room import MAX_JOINING_FRAMES, Room
from fechatter.hub.sequencer import MAX_HELD
from fechatter.loops import SURVIVED, Loop, LoopState
from fechatter.model import Position, WorkspaceId, life_of
from fechatter.queues import Queue
from fechatter.settings import Settings
from fechatter.storage import events
from fechatter.storage.engines.base import Database, Transaction
from fechatter.tasks import Tasks

log = logging.getLogger(__name__)

GAP_SECONDS = 0.03
HEADS_EVERY_SECONDS = 1.0
HEADS_TIMEOUT_SECONDS = 5.0
MOST_PAUSE_SECONDS = 4.0
"""After the database's return, streams wait no longer for what they missed."""
PACE_EVERY_SECONDS = 1.0
FILL_EVENTS = 1_000
MAX_JOIN_TRIES = 5
STREAMS_RETRY_SECONDS = 10


class Hub:
    """Runs on the main loop.

    Attributes:
        era: the current era, as last read.
        restarts: how often a room continued from another position, because the log did not contain the room's position.
        gaps_filled: gaps in bus delivery that were filled from the log; `gap_events` counts their events.
    """

    def __init__(self, database: Database, tasks: Tasks, settings: Settings) -> None:
        self._database = database
        self._tasks = tasks
        self._settings = settings
        self._rooms: dict[int, Room] = {}
        self._opening: dict[int, asyncio.Lock] = {}
        self._filling: set[int] = set()
        self._heads_read_at = time.monotonic()
        self._head_poll = Loop("head_poll", self._read_heads, HEADS_EVERY_SECONDS, MOST_PAUSE_SECONDS)
        self._session_expiry = Loop("session_expiry", self._close_ended, HEADS_EVERY_SECONDS, MOST_PAUSE_SECONDS)
        self._gap_filling = LoopState("gap_filling")
        self._stopping = False
        self.era = database.era
        self.restarts = 0
        self.gaps_filled = 0
        self.gap_events = 0

    @property
    def listeners(self) -> int:
        return sum(len(room.listeners) for room in self._rooms.values())

    def streams(self) -> list[Listener]:
        """Every live listener of this node."""
        return [listener for room in self._rooms.values() for listener in room.listeners]

    @property
    def rooms(self) -> int:
        return len(self._rooms)

    def queues(self) -> list[Queue]:
        closed, again = "closed with `slow`, resumes from its cursor", "the replay is read again"
        return [
            Queue("listener_events", MAX_EVENTS, "events", closed, lambda: self._most(lambda one: len(one.pending))),
            Queue("listener_bytes", MAX_BYTES, "bytes", closed, lambda: self._most(lambda one: one.pending_bytes)),
            Queue("joining", MAX_JOINING_FRAMES, "events", again, lambda: self._most(lambda one: len(one.joining or ()))),
            Queue("held", MAX_HELD, "events", "read from the log", self._most_held),
        ]

    def _most(self, count: Callable[[Listener], int]) -> int:
        return max(map(count, self.streams()), default=0)

    def _most_held(self) -> int:
        return max((room.sequencer.held for room in self._rooms.values()), default=0)

    def start(self) -> None:
        self._tasks.start("head poll", self._head_poll.run())
        self._tasks.start("session expiry", self._session_expiry.run())
        self._tasks.start("pace of streams", self._keep_pace())

    def loops(self) -> list[LoopState]:
        return [self._head_poll.state, self._session_expiry.state, self._gap_filling]

    def receive(self, frames: list[Frame]) -> None:
        """Frames from the bus: of one commit, or of several, late, repeated or out of order."""
        by_workspace: dict[int, list[Frame]] = {}
        for frame in frames:
            by_workspace.setdefault(frame.workspace_id, []).append(frame)
        for workspace_id, own in by_workspace.items():
            room = self._rooms.get(workspace_id)
            if room is not None:
                room.sequencer.accept(own)
                self._mend_soon(room)

    def signal(self, signals: list[Signal]) -> None:
        for signal in signals:
            room = self._rooms.get(signal.workspace_id)
            if room is not None:
                room.signal(signal)

    async def open(self, reader: Reader, cursor: Position | None, seen: Position | None = None) -> Listener:
        """A live listener: attached first, then replayed, so that nothing falls between.

        Args:
            seen: the highest position in the client's responses; it is beyond `cursor` if a response was faster than
                the stream.

        Raises:
            Unauthorized: the session has ended.
            TooManyRequests: the person has as many streams as it may have.
            Unavailable: the server stops, or events came faster than the replay could be read.
            StorageError: the database cannot be read.
        """
        if self._stopping:
            raise Unavailable("The server is stopping.", code="stopping")
        room = await self._room(reader.workspace_id)
        if room.streams_of(reader.user_id) >= self._settings.streams_per_person:
            raise TooManyRequests("Close another stream first.", code="too_many_streams", retry_after_seconds=STREAMS_RETRY_SECONDS)
        listener = Listener(reader)
        try:
            await self._join(room, listener, lambda tx: joining.begin(tx, reader, cursor, seen, self._settings))
        except BaseException:
            self.leave(listener)
            raise
        return listener

    async def read_on(self, listener: Listener) -> None:
        """Queue the next piece of a long replay once nothing waits; whoever writes calls it before each write."""
        replay, room = listener.replay, self._rooms.get(listener.reader.workspace_id)
        if replay is None or room is None or listener.pending or listener.closed is not None:
            return
        reader = listener.reader
        try:
            await self._join(room, listener, lambda tx: joining.go_on(tx, reader, replay, self._settings))
        except Unauthorized:
            listener.close(CloseReason.REVOKED)
        except (Unavailable, StorageError) as error:
            log.warning("a replay in workspace %d is broken off: %s", room.workspace_id, error)
            listener.close(CloseReason.UNAVAILABLE)

    async def _join(self, room: Room, listener: Listener, read: Callable[[Transaction], Awaitable[joining.Start]]) -> None:
        """Queue what `read` finds; go live when nothing is left to be read."""
        for _ in range(MAX_JOIN_TRIES):
            room.attach(listener)
            began = room.sequencer
            position = began.position
            start = await self._database.read(read)
            if start.head.seq < position:
                await self._fill(room)
            if room.sequencer is not began:
                continue  # the log went back during the read, so the rows may belong to either life
            if start.replay is not None or not listener.overflowed:
                break
        else:
            raise Unavailable("Events come faster than they can be read.", code="stream_behind")
        listener.reader, listener.replay = start.reader, start.replay
        for block in start.blocks:
            listener.offer(block)
        if start.replay is None:
            room.go_live(listener, start.chats, start.head)
        else:
            room.let_go(listener)

    def leave(self, listener: Listener) -> None:
        """The connection is gone."""
        room = self._rooms.get(listener.reader.workspace_id)
        if room is None:
            return
        room.detach(listener)
        if not room.listeners:
            del self._rooms[room.workspace_id]

    def position(self, listener: Listener) -> Position | None:
        """The position up to which everything was delivered, for a listener with nothing pending."""
        room = self._rooms.get(listener.reader.workspace_id)
        if room is None or listener.pending or listener.joining is not None:
            return None
        place, joined_at = room.sequencer.place, listener.joined_at
        return joined_at if joined_at is not None and joined_at.seq > place.seq else place

    def stop(self) -> None:
        """Close every stream with the reason `shutdown`; new ones are refused."""
        self._stopping = True
        self._close_all(CloseReason.SHUTDOWN)

    def _close_all(self, reason: CloseReason) -> None:
        for room in self._rooms.values():
            room.close(reason)

    async def _room(self, workspace_id: WorkspaceId) -> Room:
        """The workspace's room, opened at the head the database has now. Raises Unauthorized: the workspace is gone."""
        lock = self._opening.setdefault(workspace_id, asyncio.Lock())
        try:
            async with lock:
                room = self._rooms.get(workspace_id)
                if room is None:
                    try:
                        heads = await self._database.read(lambda tx: events.heads(tx, workspace_id))
                    except LookupError as error:
                        raise Unauthorized("The session has ended.", code="session_ended") from error
                    room = self._rooms.setdefault(workspace_id, Room(workspace_id, heads.position, heads.current_era))
                return room
        finally:
            if not lock.locked():
                self._opening.pop(workspace_id, None)

    def _mend_soon(self, room: Room) -> None:
        if room.sequencer.wanting and room.workspace_id not in self._filling:
            self._filling.add(room.workspace_id)
            self._tasks.start("fill a gap", self._fill_later(room))

    async def _fill_later(self, room: Room) -> None:
        """Give the bus a moment, then read from the log what it did not bring."""
        try:
            await asyncio.sleep(GAP_SECONDS)
            while room.sequencer.wanting and self._rooms.get(room.workspace_id) is room:
                if not await self._fill(room):
                    break
            self._gap_filling.succeeded()
        except SURVIVED as error:
            # The next head poll tries it again.
            self._gap_filling.failed(error)
        finally:
            self._filling.discard(room.workspace_id)

    async def _fill(self, room: Room) -> bool:
        """Compare a room with the log and read what it waits for; returns whether it came on. Raises StorageUnavailable."""
        sequencer = room.sequencer
        place, expected = sequencer.place, sequencer.expected
        upto = min(expected, place.seq + FILL_EVENTS)
        workspace_id = WorkspaceId(room.workspace_id)

        # In one snapshot: a log that went back may have grown again beyond the room's position.
        async def read(tx: Transaction) -> tuple[str, events.Standing | None, list[Frame]]:
            era, standings = await events.standings(tx, {workspace_id: place})
            return era, standings.get(workspace_id), await events.load(tx, workspace_id, place.seq, upto)

        era, standing, frames = await self._database.read(read)
        if room.sequencer is not sequencer or standing is None or not await self._follow(room, place, era, standing):
            return False
        sequencer.fill(frames)
        self.gaps_filled += bool(frames)
        self.gap_events += len(frames)
        if sequencer.position > place.seq or upto == place.seq:
            return True
        if standing.head.seq > place.seq:  # the log no longer holds what the room waits for
            self._restart(room, standing.head, era)
        elif sequencer.expected == expected:
            sequencer.correct(standing.head.seq)
        return False

    async def _follow(self, room: Room, place: Position, era: str, standing: events.Standing) -> bool:
        """Update a room from the log; False if the log does not contain `place`, so that the room continues elsewhere.

        Args:
            place: where the room was before the log was read.
            era: the current one, as the log says.
        """
        if standing.kept:
            if life_of(era) != life_of(room.sequencer.era):
                # Responses may have shown clients more than the log contains now. They reconnect with the highest
                # position they saw.
                room.close(CloseReason.UNAVAILABLE)
            room.sequencer.enter(era)
            room.sequencer.expect(standing.head.seq)
            return True
        if standing.head.seq < place.seq and era == room.sequencer.era:
            # No writer has noticed yet. New events must not get the same positions as lost ones.
            era = await self._database.begin_era(era)
        self._restart(room, standing.head, era)
        return False

    def _restart(self, room: Room, head: Position, era: str) -> None:
        log.warning(
            "the log of workspace %d does not contain %s; its streams continue from %s", room.workspace_id, room.sequencer.place, head
        )
        self.restarts += 1
        room.restart(head, era)

    async def _keep_pace(self) -> None:
        """Close streams whose client is slow, and all of them when nobody knows how far the logs reach."""
        while True:
            await asyncio.sleep(PACE_EVERY_SECONDS)
            now = time.monotonic()
            if now - self._heads_read_at > HEADS_TIMEOUT_SECONDS:
                self._close_all(CloseReason.UNAVAILABLE)
            for listener in self.streams():
                listener.check_pace(now)

    async def _close_ended(self) -> None:
        async with asyncio.timeout(HEADS_TIMEOUT_SECONDS):
            await expiry.close_ended(self._database, self.streams())

    async def _read_heads(self) -> None:
        """Learn how far each live workspace's log reaches, and whether it still contains the place of the room.

        Raises:
            StorageError, TimeoutError: the log could not be read.
        """
        rooms = {room.workspace_id: (room, room.sequencer, room.sequencer.place) for room in self._rooms.values()}
        places = {workspace_id: place for workspace_id, (_, _, place) in rooms.items()}
        async with asyncio.timeout(HEADS_TIMEOUT_SECONDS):
            self.era, standings = await self._database.read(lambda tx: events.standings(tx, places))
            self._heads_read_at = time.monotonic()
            for workspace_id, (room, sequencer, place) in rooms.items():
                if workspace_id not in standings:  # the workspace was removed
                    room.close(CloseReason.REVOKED)
                elif room.sequencer is sequencer:
                    await self._follow(room, place, self.era, standings[workspace_id])
                    self._mend_soon(room)
