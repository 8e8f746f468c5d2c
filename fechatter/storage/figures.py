"""Figures about the database for the metrics. No query counts the rows of a large table."""

from __future__ import annotations

import msgspec

from fechatter.storage.engines.base import Transaction

DAY_MS = 24 * 3600 * 1000

# Event numbers have no gaps, so a workspace has as many events as its head is above its floor.
_LOG = "SELECT coalesce(sum(event_seq), 0) AS heads, coalesce(sum(floor_seq), 0) AS floors FROM workspaces"
_OLDEST = """
SELECT min(e.created_at) AS oldest
FROM workspaces w JOIN events e ON e.workspace_id = w.id AND e.seq = w.floor_seq + 1"""
_PEOPLE = "SELECT count(DISTINCT user_id) AS people FROM sessions WHERE last_used_at > $1"
_MIGRATION = "SELECT max(version) AS newest FROM schema_migrations"


class Figures(msgspec.Struct, frozen=True):
    """Figures of the whole database, from one snapshot.

    Attributes:
        log_events: events in the logs of all workspaces.
        log_dropped: events that were pruned from these logs.
        log_age_seconds: age of the oldest event; None if the log is empty.
        people_day: people who used a session within the last 24 hours.
        migration: number of the newest migration.
    """

    log_events: int
    log_dropped: int
    log_age_seconds: float | None
    people_day: int
    migration: int


async def read(tx: Transaction) -> Figures:
    """Read all figures from one snapshot."""
    [log], [oldest] = await tx.fetch(_LOG), await tx.fetch(_OLDEST)
    [people], [migration] = await tx.fetch(_PEOPLE, tx.now - DAY_MS), await tx.fetch(_MIGRATION)
    age_seconds = None if oldest["oldest"] is None else max(0, tx.now - oldest["oldest"]) / 1000
    floors = int(log["floors"])
    return Figures(int(log["heads"]) - floors, floors, age_seconds, int(people["people"]), int(migration["newest"]))
