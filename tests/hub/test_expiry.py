"""Streams whose session ended without an event are closed."""

from __future__ import annotations

import pytest

from fechatter.cache.responses import ResponseCache
from fechatter.hub import expiry
from fechatter.hub.listener import Listener, Reader
from fechatter.hub.states import CloseReason
from fechatter.model import now_ms
from fechatter.native import Streams
from fechatter.storage import sessions
from fechatter.storage.engines.base import Database
from tests import world


async def listening(database: Database) -> Listener:
    (alice,) = await world.people(database, "alice")
    return Listener(Reader(alice.user_id, alice.workspace_id, alice.session_id), Streams(1, 1).open())


async def test_the_stream_of_a_lost_session_ends_at_the_next_check(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = await listening(database)
    await expiry.close_ended(database, [listener], ResponseCache())
    assert listener.closed is None
    assert listener.check_session_at <= now_ms() + expiry.CHECK_EVERY_MS
    await database.write_unlocked(lambda tx: sessions.delete(tx, [listener.reader.session_id]))
    await expiry.close_ended(database, [listener], ResponseCache())
    assert listener.closed is None
    later = now_ms() + expiry.CHECK_EVERY_MS
    monkeypatch.setattr(expiry, "now_ms", lambda: later)
    await expiry.close_ended(database, [listener], ResponseCache())
    assert listener.closed is CloseReason.REVOKED


async def test_a_session_that_expires_within_a_minute_is_checked_when_it_expires(database: Database) -> None:
    listener = await listening(database)
    soon = now_ms() + expiry.CHECK_EVERY_MS // 2
    sql = "UPDATE sessions SET expires_at = $1 WHERE id = $2"
    await database.write_unlocked(lambda tx: tx.execute(sql, soon, listener.reader.session_id))
    await expiry.close_ended(database, [listener], ResponseCache())
    assert (listener.closed, listener.check_session_at) == (None, soon)
