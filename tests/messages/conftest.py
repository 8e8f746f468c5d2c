"""A writer node over a database that a test can interrupt."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from fechatter.storage.engines.base import Database
from tests.world import InterruptedDatabase, WriterNode


@pytest.fixture
async def between(database: Database) -> InterruptedDatabase:
    return InterruptedDatabase(database)


@pytest.fixture
async def node(between: InterruptedDatabase) -> AsyncIterator[WriterNode]:
    made = WriterNode(between)
    yield made
    await made.close()
