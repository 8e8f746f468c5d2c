"""Prunes the event log, idempotency keys and audit log by age, erases deleted chats and empties old messages."""

from __future__ import annotations

import asyncio
import logging

from fechatter.loops import Loop, LoopState, take_turns
from fechatter.model import WorkspaceId, now_ms
from fechatter.settings import Settings
from fechatter.storage import audit, upkeep
from fechatter.storage.engines.base import Database
from fechatter.workers.erasure import erase_chats
from fechatter.workers.retention import Retention

log = logging.getLogger(__name__)

EVERY_SECONDS = 3600.0
FIRST_AFTER_SECONDS = 60.0
PAUSE_SECONDS = 0.05
DAY_MS = 24 * 3600 * 1000


class Upkeep:
    """Runs each kind of upkeep once an hour."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._retention = Retention(database, settings.message_retention_days)
        self._parts = [
            Loop("prune_events", self.prune_events, EVERY_SECONDS),
            Loop("erase_chats", lambda: erase_chats(database), EVERY_SECONDS),
            Loop("prune_keys", self.prune_keys, EVERY_SECONDS),
            Loop("prune_audit", self.prune_audit, EVERY_SECONDS),
            Loop("expire_messages", self.expire_messages, EVERY_SECONDS),
        ]

    async def run(self) -> None:
        """Run the parts in turn, without end. A failed part is retried soon and does not delay the others."""
        await take_turns(self._parts, FIRST_AFTER_SECONDS)

    def loops(self) -> list[LoopState]:
        """Return the state of each part, for health and metrics."""
        return [part.state for part in self._parts]

    async def prune_events(self) -> int:
        """Delete events older than `event_log_days`, and move each workspace's floor; return their number."""
        dropped = 0
        for workspace_id in await self._database.read(upkeep.workspace_ids):
            while count := await self._drop_some_events(workspace_id):
                dropped += count
                await asyncio.sleep(PAUSE_SECONDS)
        return dropped

    async def _drop_some_events(self, workspace_id: WorkspaceId) -> int:
        age_ms = self._settings.event_log_days * DAY_MS
        return await self._database.write(
            workspace_id, lambda tx: upkeep.drop_old_events(tx, workspace_id, tx.now - age_ms)
        )

    async def prune_keys(self) -> int:
        """Delete keys older than `idempotency_days`, and replace the fingerprints of deleted messages.

        Returns the number of deleted keys.
        """
        dropped, after = 0, b""
        while True:
            step = await self._drop_some_keys(after)
            dropped += step.dropped
            if step.last_key is None:
                return dropped
            after = step.last_key
            await asyncio.sleep(PAUSE_SECONDS)

    async def _drop_some_keys(self, after: bytes) -> upkeep.KeyStep:
        age_ms = self._settings.idempotency_days * DAY_MS
        return await self._database.write_unlocked(lambda tx: upkeep.drop_old_keys(tx, after, tx.now - age_ms))

    async def expire_messages(self) -> int:
        """Empty messages older than `message_retention_days`; return their number."""
        emptied = await self._retention.run(now_ms())
        if emptied:
            log.info("emptied %d messages that were older than %d days", emptied, self._settings.message_retention_days)
        return emptied

    async def prune_audit(self) -> int:
        """Delete entries of the audit log older than `audit_days`; return their number."""
        age_ms, dropped = self._settings.audit_days * DAY_MS, 0
        while count := await self._database.write_unlocked(lambda tx: audit.drop_old(tx, tx.now - age_ms)):
            dropped += count
            await asyncio.sleep(PAUSE_SECONDS)
        return dropped
