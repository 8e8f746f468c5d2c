"""Prunes the event log, idempotency keys and audit log by age, erases deleted chats, empties old messages and clears
expired statuses."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

from fechatter.loops import Loop, LoopState, take_turns
from fechatter.model import WorkspaceId, now_ms
from fechatter.settings import Settings
from fechatter.storage import audit, upkeep
from fechatter.storage.engines.base import Database, Transaction
from fechatter.workers.erasure import erase_chats
from fechatter.workers.pieces import in_pieces
from fechatter.workers.retention import Retention
from fechatter.workers.statuses import clear_statuses

EVERY_SECONDS = 3600.0
STATUSES_EVERY_SECONDS = 60.0
FIRST_AFTER_SECONDS = 60.0
PAUSE_SECONDS = 0.05
DAY_MS = 24 * 3600 * 1000


class Upkeep:
    """Runs each kind of upkeep once an hour, and clears statuses once a minute."""

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
            Loop("clear_statuses", lambda: clear_statuses(database), STATUSES_EVERY_SECONDS),
        ]

    async def run(self) -> None:
        """Run the parts in turn, without end.

        A failed part is retried and does not delay the others. Within a part, `pieces` isolates workspaces and rows.
        """
        await take_turns(self._parts, FIRST_AFTER_SECONDS)

    def loops(self) -> list[LoopState]:
        """Return the state of each part, for health and metrics."""
        return [part.state for part in self._parts]

    async def prune_events(self) -> int:
        """Delete events older than `event_log_days`, and move each workspace's floor; return their number."""
        dropped = 0
        async with in_pieces(self._database) as pieces:
            for workspace_id in await self._database.read(upkeep.workspace_ids):
                dropped += await pieces.run(f"workspace {workspace_id}", self._prune_workspace(workspace_id)) or 0
        return dropped

    async def _prune_workspace(self, workspace_id: WorkspaceId) -> int:
        dropped = 0
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
        async with in_pieces(self._database) as pieces:
            while keys := await self._database.read(partial(upkeep.next_keys, after=after)):
                # A key may be secret to its sender, so the name of a piece does not contain it.
                steps = list(pairwise([after, *keys]))
                dropped += (await pieces.rows(lambda _: "an idempotency key", steps, self._drop_some_keys))[0]
                after = keys[-1]
                await asyncio.sleep(PAUSE_SECONDS)
        return dropped

    async def _drop_some_keys(self, steps: Sequence[tuple[bytes, bytes]]) -> int:
        (after, _), (_, last) = steps[0], steps[-1]
        age_ms = self._settings.idempotency_days * DAY_MS
        return await self._database.write_unlocked(lambda tx: upkeep.drop_old_keys(tx, after, last, tx.now - age_ms))

    async def expire_messages(self) -> int:
        """Empty messages older than `message_retention_days`; return their number."""
        return await self._retention.run(now_ms())

    async def prune_audit(self) -> int:
        """Delete entries of the audit log older than `audit_days`; return their number."""
        dropped, after = 0, 0
        async with in_pieces(self._database) as pieces:
            while ids := await self._database.read(partial(self._old_entries, after=after)):
                steps = list(pairwise([after, *ids]))
                dropped += (await pieces.rows(lambda step: f"audit entry {step[1]}", steps, self._drop_entries))[0]
                after = ids[-1]
                await asyncio.sleep(PAUSE_SECONDS)
        return dropped

    async def _old_entries(self, tx: Transaction, after: int) -> list[int]:
        return await audit.old_entries(tx, after, tx.now - self._settings.audit_days * DAY_MS)

    async def _drop_entries(self, steps: Sequence[tuple[int, int]]) -> int:
        (after, _), (_, last) = steps[0], steps[-1]
        return await self._database.write_unlocked(lambda tx: audit.drop(tx, after, last))
