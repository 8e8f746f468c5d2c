"""Fills gaps: reads events that the bus did not deliver from the log, and detects a log that went back in time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from fechatter.cache.responses import ResponseCache
from fechatter.frames import Frame
from fechatter.hub.states import CloseReason
from fechatter.hub.workspace_feed import WorkspaceFeed
from fechatter.loops import SURVIVED, LoopState
from fechatter.model import Position, WorkspaceId, life_of
from fechatter.storage import events
from fechatter.storage.engines.base import Database, Transaction
from fechatter.tasks import Tasks

log = logging.getLogger(__name__)

GAP_SECONDS = 0.03
"""How long the bus has to deliver a missing frame before the log is read."""
FILL_EVENTS = 1_000
"""Maximum number of events in one read of the log."""


class GapFiller:
    """Reads missing events from the log and passes them to the feeds. Runs on the main loop.

    Args:
        feeds: the open feeds by workspace id.
        responses: receives every event before a listener does.

    Attributes:
        filled: gaps in bus delivery that were filled from the log.
        events: events that were read from the log to fill these gaps.
        restarts: number of times that a feed continued from another position, because the log did not contain its own.
        state: for health and metrics.
    """

    def __init__(
        self, database: Database, tasks: Tasks, feeds: Mapping[int, WorkspaceFeed], responses: ResponseCache
    ) -> None:
        self._database = database
        self._tasks = tasks
        self._feeds = feeds
        self._responses = responses
        self._filling: set[int] = set()
        self.filled = 0
        self.events = 0
        self.restarts = 0
        self.state = LoopState("gap_filling")

    def fill_soon(self, feed: WorkspaceFeed) -> None:
        """If the feed has a gap, start a task that fills it after `GAP_SECONDS`."""
        if feed.sequencer.needs_log and feed.workspace_id not in self._filling:
            self._filling.add(feed.workspace_id)
            self._tasks.start("fill a gap", self._fill_later(feed))

    async def _fill_later(self, feed: WorkspaceFeed) -> None:
        try:
            await asyncio.sleep(GAP_SECONDS)
            while feed.sequencer.needs_log and self._feeds.get(feed.workspace_id) is feed:
                if not await self.fill(feed):
                    break
            self.state.succeeded()
        except SURVIVED as error:
            # The next head poll calls `fill_soon` again.
            self.state.failed(error)
        finally:
            self._filling.discard(feed.workspace_id)

    async def fill(self, feed: WorkspaceFeed) -> bool:
        """Read the feed's missing events from the log. Returns whether the feed advanced. Raises StorageError."""
        sequencer = feed.sequencer
        place, expected = sequencer.place, sequencer.expected
        upto = min(expected, place.seq + FILL_EVENTS)
        era, check, frames = await self._read(WorkspaceId(feed.workspace_id), place, upto)
        if feed.sequencer is not sequencer or check is None or not await self.follow(feed, place, era, check):
            return False
        self._responses.passed(frames)
        feed.fill(frames)
        self.filled += bool(frames)
        self.events += len(frames)
        if sequencer.position > place.seq or upto == place.seq:
            return True
        if check.head.seq > place.seq:  # the log no longer contains the missing events
            self._restart(feed, check.head, era)
        elif sequencer.expected == expected:
            sequencer.correct(check.head.seq)
        return False

    async def _read(
        self, workspace_id: WorkspaceId, place: Position, upto: int
    ) -> tuple[str, events.LogCheck | None, list[Frame]]:
        # In one snapshot, because a log that went back may have grown again beyond the feed's position.
        async def read(tx: Transaction) -> tuple[str, events.LogCheck | None, list[Frame]]:
            era, checks = await events.check_positions(tx, {workspace_id: place})
            return era, checks.get(workspace_id), await events.load(tx, workspace_id, place.seq, upto)

        return await self._database.read(read)

    async def follow(self, feed: WorkspaceFeed, place: Position, era: str, check: events.LogCheck) -> bool:
        """Update a feed from the log. Returns False if the log does not contain `place`; the feed then restarts.

        Args:
            place: the feed's position before the log was read.
            era: the current era, according to the log.
            check: the log's head, and whether the log contains `place`.

        Raises:
            StorageError: a new era could not begin.
        """
        if check.kept:
            if life_of(era) != life_of(feed.sequencer.era):
                # Responses may have shown clients more than the log contains now. They reconnect with the highest
                # position they saw.
                feed.close(CloseReason.UNAVAILABLE)
            feed.sequencer.enter(era)
            feed.sequencer.expect(check.head.seq)
            return True
        if check.head.seq < place.seq and era == feed.sequencer.era:
            # No writer has noticed the loss yet. New events must not get the same positions as lost ones.
            era = await self._database.begin_era(era)
        self._restart(feed, check.head, era)
        return False

    def _restart(self, feed: WorkspaceFeed, head: Position, era: str) -> None:
        log.warning(
            "the log of workspace %d does not contain %s; its streams continue from %s",
            feed.workspace_id,
            feed.sequencer.place,
            head,
        )
        self.restarts += 1
        self._responses.clear()
        feed.restart(head, era)
