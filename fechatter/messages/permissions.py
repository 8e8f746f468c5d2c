"""Decides for whole batches which senders may write to which chats, from a cache that may be out of date.

Each verdict has the `rights_seq` and the era with which it was made. The engine compares them with those of the
workspace, under the workspace's lock. If they differ, nothing is stored, the verdicts of the workspace are dropped, and
the batch is decided again.
"""

from __future__ import annotations

from fechatter.storage import rights
from fechatter.storage.engines.base import Database, Transaction
from fechatter.storage.rights import Writing

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
        return await self._database.read_on_writer(lambda snapshot: rights.writers(snapshot, pairs))

    def _drop_refusals(self, pairs: list[tuple[int, int]]) -> None:
        # A stored batch proves that its verdicts are current. Nothing proves a refusal, so it is not cached.
        for pair in pairs:
            if self._verdicts[pair].refusal is not None:
                del self._verdicts[pair]

    def forget(self, workspace_ids: set[int]) -> None:
        """Drop the verdicts of workspaces whose rights have changed."""
        if workspace_ids:
            self._verdicts = {
                pair: verdict for pair, verdict in self._verdicts.items() if verdict.workspace_id not in workspace_ids
            }
