"""A server for walks, on both engines."""

from collections.abc import AsyncIterator

import pytest

from fechatter.hub import gaps
from tests.hub.server import Server


@pytest.fixture
async def server(address: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    monkeypatch.setattr(gaps, "GAP_SECONDS", 0.0)
    opened = await Server.open(address)
    yield opened
    await opened.close()
