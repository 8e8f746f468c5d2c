"""Decides for whole batches which senders may write to which chats, from a cache that may be out of date.

Each verdict has the `rights_seq` and the era with which it was made. The engine compares them with those of the
workspace, under the workspace's lock. If they differ, nothing is stored, and the batch is decided again. The event log
shows which verdicts a change of rights did not affect. Only the others are read again.
"""

from __future__ import annotations

import logging

import msgspec

from fechatter.errors import StorageError
from fechatter.storage import rights
from fechatter.storage.engines.base import Database, Transaction
from fechatter.storage.rights import Writing

log = logging.getLogger(__name__)

MAX_VERDICTS = 100_000

_UNKNOWN_SESSION = Writing(0, 0, "unauthorized", 0, "")


class Permissions:
    """The cache of verdicts. Only the message writer uses it, on the writer's loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._verdicts: dict[tuple[int, int], Writing] = {}

    async def decide(self, pairs: list[tuple[int, int]], tx: Transaction | None = None) -> list[Writing]:
        """Return the verdict for each pair (session id, chat id), in order.

        Verdicts that are not cached are read in `tx`, or else in a snapshot. Raises StorageError.
        """
        missing = list({pair for pair in pairs if pair not in self._verdicts})
        if missing:
            if len(self._verdicts) + len(missing) > MAX_VERDICTS:
                self._verdicts.clear()
                missing = list(set(pairs))
            found = await self._find(missing, tx)
            for pair in missing:
                self._verdicts[pair] = found.get(pair, _UNKNOWN_SESSION)
        verdicts = [self._verdicts[pair] for pair in pairs]
        if missing:
            self._drop_refusals(missing)
        return verdicts

    async def _find(self, pairs: list[tuple[int, int]], tx: Transaction | None) -> dict[tuple[int, int], Writing]:
        if tx is not None:
            return await rights.writers(tx, pairs)
        return await self._database.read_statement_on_writer(lambda snapshot: rights.writers(snapshot, pairs))

    def _drop_refusals(self, pairs: list[tuple[int, int]]) -> None:
        # A stored batch proves that its verdicts are current. Nothing proves a refusal, so it is not cached.
        for pair in pairs:
            if self._verdicts[pair].refusal is not None:
                del self._verdicts[pair]

    def forget(self, workspace_id: int) -> None:
        """Drop the verdicts of a workspace."""
        for pair in self._of_workspace(workspace_id):
            del self._verdicts[pair]

    async def renew(self, workspace_id: int) -> None:
        """Drop the verdicts that a change of rights may have affected; the others hold for the newest rights too.

        If the log cannot be read, all verdicts of the workspace are dropped.
        """
        own = self._of_workspace(workspace_id)
        if not own:
            return
        since = min(verdict.rights_seq for verdict in own.values())
        try:
            changes = await self._database.read_statement_on_writer(lambda tx: rights.changes(tx, workspace_id, since))
        except StorageError as error:
            log.warning("the changes of rights could not be read", exc_info=error)
            changes = None
        for pair, verdict in own.items():
            if changes is None or verdict.era != changes.era or changes.affect(pair[1], verdict.user_id):
                del self._verdicts[pair]
            else:
                self._verdicts[pair] = msgspec.structs.replace(verdict, rights_seq=changes.rights_seq)

    def _of_workspace(self, workspace_id: int) -> dict[tuple[int, int], Writing]:
        return {pair: verdict for pair, verdict in self._verdicts.items() if verdict.workspace_id == workspace_id}
