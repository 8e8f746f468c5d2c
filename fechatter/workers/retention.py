"""Empties messages older than `message_retention_days`, in small steps that do not slow down senders and listeners."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from functools import partial

from fechatter.audit.record import Act, record
from fechatter.model import Actor, MessageId, Origin, Role, SessionId, UserId, WorkspaceId, now_ms
from fechatter.storage import retention
from fechatter.storage.engines.base import Database, Transaction
from fechatter.workers.pieces import Pieces, in_pieces

log = logging.getLogger(__name__)

STEP_MESSAGES = 50
PAUSE_SECONDS = 0.25
"""The pause after each step: listeners receive at most 200 events a second."""
LOOK_PAUSE_SECONDS = 0.02
LONGEST_SECONDS = 1800.0
"""Maximum duration of a run, because other upkeep waits for it. The next run continues."""
DAY_MS = 24 * 3600 * 1000
CLOCK_TOLERANCE_MS = 3600 * 1000
"""Emptying cannot be undone, so a run after a clock change of this size is skipped."""
SETTING = "message_retention_days"


class Clock:
    """Detects that the wall clock was set, by comparing it with a monotonic clock."""

    def __init__(self) -> None:
        self._ahead_ms = _ahead_ms()

    def was_set(self) -> bool:
        """Return whether the clock was set by more than an hour since the last call or the creation of this object."""
        before, self._ahead_ms = self._ahead_ms, _ahead_ms()
        return abs(self._ahead_ms - before) > CLOCK_TOLERANCE_MS


def _ahead_ms() -> int:
    """Return the wall clock minus the time since the machine started. It changes only when the clock is set."""
    return now_ms() - time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


class Retention:
    """Empties old messages. Each run continues after the last examined message; a new process starts at the first."""

    def __init__(self, database: Database, days: int) -> None:
        self._database = database
        self._days = days
        self._looked_at = 0
        self._clock = Clock()
        self._recorded: dict[WorkspaceId, int] = {}
        self._failed: dict[MessageId, WorkspaceId] = {}
        """Messages that could not be emptied; each run tries them again."""

    async def run(self, now: int) -> int:
        """Empty messages that are too old; return their number. With the setting 0, do nothing.

        Raises StorageError, PartlyFailed.
        """
        if self._clock.was_set():
            log.warning("the clock was set by more than an hour; if it stays set, the next run empties messages")
            return 0
        async with in_pieces(self._database) as pieces:
            return await self._run(pieces, now - self._days * DAY_MS) if self._days > 0 else 0

    async def _run(self, pieces: Pieces, before_ms: int) -> int:
        emptied, until = 0, time.monotonic() + LONGEST_SECONDS
        for message_id, workspace_id in list(self._failed.items()):
            emptied += await self._empty(pieces, workspace_id, [message_id])
        while time.monotonic() < until:
            found = await self._database.read(lambda tx: retention.due(tx, self._looked_at, before_ms))
            for workspace_id, message_ids in found.messages.items():
                emptied += await self._empty(pieces, workspace_id, message_ids)
            self._looked_at = found.last_id
            if not found.more:
                break
            await asyncio.sleep(LOOK_PAUSE_SECONDS)
        if emptied:
            log.info("emptied %d messages that were older than %d days", emptied, self._days)
        return emptied

    async def _empty(self, pieces: Pieces, workspace_id: WorkspaceId, message_ids: list[MessageId]) -> int:
        emptied, work = 0, partial(self._write, workspace_id)
        for first in range(0, len(message_ids), STEP_MESSAGES):
            step = message_ids[first : first + STEP_MESSAGES]
            done, failed = await pieces.rows("message {}".format, step, work)
            for message_id in step:
                self._failed.pop(message_id, None)
            self._failed.update(dict.fromkeys(failed, workspace_id))
            emptied += done
            await asyncio.sleep(PAUSE_SECONDS)
        return emptied

    async def _write(self, workspace_id: WorkspaceId, message_ids: Sequence[MessageId]) -> int:
        step = partial(self._step, workspace_id=workspace_id, message_ids=list(message_ids))
        emptied, today = await self._database.write(workspace_id, step)
        if emptied:
            self._recorded[workspace_id] = today
        return emptied

    async def _step(self, tx: Transaction, workspace_id: WorkspaceId, message_ids: list[MessageId]) -> tuple[int, int]:
        """Empty the messages; return their number and the day."""
        emptied = await retention.empty(tx, workspace_id, message_ids)
        today = tx.now // DAY_MS
        if emptied and self._recorded.get(workspace_id) != today:
            # One entry per day. The operator set the setting, so the entry has no user.
            actor = Actor(UserId(0), workspace_id, SessionId(0), Role.OWNER, Origin("command_line", SETTING))
            await record(tx, actor, Act.WORKSPACE_MESSAGES_EXPIRED, workspace_id, after={"older_than_days": self._days})
        return emptied, today
