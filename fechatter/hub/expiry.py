"""Closes streams whose session has ended without an event.

A revoked session has an event, but an expired one has none. A refresh extends a session, and a database that goes back
in time can lose it. So each stream's session is read when the stream is new, when its known expiry has passed, and
once a minute.
"""

from __future__ import annotations

from collections.abc import Iterable

from fechatter.cache.responses import ResponseCache
from fechatter.hub.listener import Listener
from fechatter.hub.states import CloseReason
from fechatter.model import now_ms
from fechatter.storage import sessions
from fechatter.storage.engines.base import Database

MAX_AT_ONCE = 5_000
"""Maximum number of streams per check. The next check, a second later, continues with the others."""
CHECK_EVERY_MS = 60_000


async def close_ended(database: Database, listeners: Iterable[Listener], responses: ResponseCache) -> None:
    """Close those `listeners` whose session has expired or was revoked.

    Such a session ended without an event, so the gateway forgets all `responses`. Raises StorageError.
    """
    now = now_ms()
    due = [each for each in listeners if each.check_session_at <= now and each.closed is None][:MAX_AT_ONCE]
    if not due:
        return
    ids = sorted({listener.reader.session_id for listener in due})
    expiries = await database.read(lambda tx: sessions.expiries(tx, ids))
    if len(expiries) < len(ids):
        responses.clear()
    later = now + CHECK_EVERY_MS  # one object for all listeners
    for listener in due:
        expires_at = expiries.get(listener.reader.session_id)
        if expires_at is None:
            listener.close(CloseReason.REVOKED)
        else:
            listener.check_session_at = min(expires_at, later)
