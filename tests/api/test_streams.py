"""A HEAD request for the stream is answered, and opens no listener."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import cast

import httpx2
import pytest
from starlette.requests import Request

from fechatter.api.application import Application
from fechatter.api.routes import ROUTES
from fechatter.api.streams.opening import cursor_of
from fechatter.auth.quotas import Quotas
from fechatter.auth.tokens import AccessTokens, Claims
from fechatter.errors import Invalid
from fechatter.hub.hub import Hub
from fechatter.services import Services
from fechatter.settings import Settings
from fechatter.storage.engines.base import Database
from tests import world
from tests.hub.node import OwnTasks
from tests.servers.process import PATIENCE_SECONDS


async def test_a_head_request_for_the_stream_ends_without_the_client(database: Database) -> None:
    (alice,) = await world.people(database, "alice")
    tokens, tasks, settings = AccessTokens(b"s" * 32, 900), OwnTasks(), Settings()
    hub = Hub(database, tasks, settings)
    app = Application(ROUTES)
    parts = {
        "database": database,
        "tokens": tokens,
        "hub": hub,
        "tasks": tasks,
        "settings": settings,
        "quotas": Quotas(settings),
    }
    app.services = cast("Services", SimpleNamespace(**parts))
    token = tokens.sign(Claims(alice.user_id, alice.workspace_id, alice.session_id))
    # This client does not disconnect before it has its response.
    async with (
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://server") as client,
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        answer = await client.head("/events", headers={"authorization": f"Bearer {token}"})
        refused = await client.head("/events")
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (
        200,
        "text/event-stream; charset=utf-8",
        b"",
    )
    assert (hub.listeners, refused.status_code) == (0, 401)
    await tasks.stop()


@pytest.mark.parametrize("second", [b"era.1", b"era.2", b""])
def test_two_positions_to_resume_from_are_refused(second: bytes) -> None:
    headers = [(b"last-event-id", b"era.1"), (b"last-event-id", second)]
    with pytest.raises(Invalid) as refused:
        cursor_of(Request({"type": "http", "headers": headers, "query_string": b""}), "")
    assert [error.code for error in refused.value.errors] == ["invalid_cursor"]
