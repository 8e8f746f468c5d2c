"""Who may write where, for whole batches: a cache that is only ever a guess.

The engine compares the `rights_seq` and the era that a verdict was made with against the workspace's under its lock; when they moved on,
nothing is stored, the workspace is forgotten here, and the batch is decided again.
"""

from __future__ import annotations

from fechatter.storage import rights
from fechatter.storage.engines.base import Database
from fechatter.storage.rights import Writing

MAX_VERDICTS = 100_000

_UNKNOWN_SESSION = Writing(0, 0, "unauthorized", 0, "")


class Permissions:
    """Used by the message writer alone, on its loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._verdicts: dict[tuple[int, int], Writing] = {}

    async def decide(self, sessions: list[int], chats: list[int], rows: list[int]) -> dict[int, Writing]:
        """For each of `rows` (places in the columns `sessions` and `chats`): may it be written?"""
        pairs = {row: (sessions[row], chats[row]) for row in rows}
        missing = list({pair for pair in pairs.values() if pair not in self._verdicts})
        if missing:
            if len(self._verdicts) + len(missing) > MAX_VERDICTS:
                self._verdicts.clear()
                missing = list(set(pairs.values()))
            found = await self._database.read_on_writer(lambda tx: rights.writers(tx, missing))
            for pair in missing:
                self._verdicts[pair] = found.get(pair, _UNKNOWN_SESSION)
        verdicts = {row: self._verdicts[pair] for row, pair in pairs.items()}
        if missing:
            self._drop_refusals(missing)
        return verdicts

    def _drop_refusals(self, pairs: list[tuple[int, int]]) -> None:
        # A stored batch proves its verdicts current; a refusal is proved by nothing, so it is asked anew each time.
        for pair in pairs:
            if self._verdicts[pair].refusal is not None:
                del self._verdicts[pair]

    def forget(self, workspace_ids: set[int]) -> None:
        """Rights of these workspaces moved on."""
        if workspace_ids:
            self._verdicts = {pair: verdict for pair, verdict in self._verdicts.items() if verdict.workspace_id not in workspace_ids}
