"""One transaction or snapshot on PostgreSQL, see `engines.base.Transaction`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

import asyncpg

from fechatter.frames import Frame, Signal
from fechatter.model import now_ms
from fechatter.storage.engines.base import PAUSE_SECONDS
from fechatter.storage.engines.dialect import for_postgres, postgres_parameter
from fechatter.storage.engines.high_water import HighWater
from fechatter.storage.engines.postgres_link import Link

_AFFECTED = re.compile(r"(\d+)$")


class PostgresTransaction:
    """A transaction or snapshot that the caller has begun on `connection`."""

    def __init__(self, connection: Link, high_water: HighWater | None = None) -> None:
        self.connection = connection
        self.spare_id: int | None = None
        """An id that was drawn with the lock, to save a round trip under the lock."""
        self.high_water = high_water or HighWater()
        self.reserved: dict[int, int] = {}
        self.frames: list[Frame] = []
        self.signals: list[Signal] = []
        self.now = now_ms()
        self.rows = 0

    async def fetch(self, sql: str, *args: object) -> Sequence[asyncpg.Record]:
        rows = await self.connection.fetch(for_postgres(sql), *map(postgres_parameter, args))
        self.rows += len(rows)
        return rows

    async def fetchrow(self, sql: str, *args: object) -> asyncpg.Record | None:
        rows = await self.fetch(sql, *args)
        return rows[0] if rows else None

    async def execute(self, sql: str, *args: object) -> int:
        affected = _AFFECTED.search(await self.connection.execute(for_postgres(sql), *map(postgres_parameter, args)))
        return int(affected.group(1)) if affected else 0

    async def pause(self) -> None:
        await asyncio.sleep(PAUSE_SECONDS)

    async def new_id(self) -> int:
        spare, self.spare_id = self.spare_id, None
        return int(await self.connection.fetchval("SELECT nextval('ids')")) if spare is None else spare
