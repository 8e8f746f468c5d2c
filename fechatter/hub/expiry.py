"""Closes streams whose session has expired.

A revoked session has an event, but an expired session has none, and a refresh extends a session. So the expiry of each
stream's session is read when the stream is new, and again each time the known expiry has passed.
"""

from __future__ import annotations

from collections.abc import Iterable

from fechatter.hub.listener import CloseReason, Listener
from fechatter.model import now_ms
from fechatter.storage import sessions
from fechatter.storage.engines.base import Database

MAX_AT_ONCE = 5_000
"""Maximum number of streams per check. The next check, a second later, continues with the others."""


async def close_ended(database: Database, listeners: Iterable[Listener]) -> None:
    """Close those `listeners` whose session has expired or was revoked. Raises StorageError."""
    now = now_ms()
    due = [each for each in listeners if each.session_expires_at <= now and each.closed is None][:MAX_AT_ONCE]
    if not due:
        return
    ids = sorted({listener.reader.session_id for listener in due})
    expiries = await database.read(lambda tx: sessions.expiries(tx, ids))
    for listener in due:
        listener.session_expires_at = expiries.get(listener.reader.session_id, 0)
        if not listener.session_expires_at:
            listener.close(CloseReason.REVOKED)
