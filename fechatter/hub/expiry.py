"""Streams live as long as their session: those whose session has ended in silence, by time, are closed.

A session that is ended by somebody tells so by its event. One that expires tells nobody, and refreshing puts its expiry
off; so each stream is looked up when it is new, and again when the expiry then known has come.
"""

from __future__ import annotations

from collections.abc import Iterable

from fechatter.hub.listener import CloseReason, Listener
from fechatter.model import now_ms
from fechatter.storage import sessions
from fechatter.storage.engines.base import Database

MOST_AT_ONCE = 5_000
"""Looked up at once; the rest follows a second later."""


async def close_ended(database: Database, listeners: Iterable[Listener]) -> None:
    """Close the `listeners` whose session has ended. Raises StorageError."""
    now = now_ms()
    due = [listener for listener in listeners if listener.session_expires_at <= now and listener.closed is None][:MOST_AT_ONCE]
    if not due:
        return
    ids = sorted({listener.reader.session_id for listener in due})
    expiries = await database.read(lambda tx: sessions.expiries(tx, ids))
    for listener in due:
        listener.session_expires_at = expiries.get(listener.reader.session_id, 0)
        if not listener.session_expires_at:
            listener.close(CloseReason.REVOKED)
