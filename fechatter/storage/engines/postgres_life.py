"""Identifies the PostgreSQL server. If a transaction reaches another server than before, the node must begin an era.

A promoted standby, a server with rolled-back files and a restarted server have another start time. A database that was
dropped and restored in the same cluster has another table. A lost connection cannot show a change reliably, because a
pooler hides it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

import asyncpg
import msgspec

from fechatter.storage.engines.errors import StorageUnavailable

_LIFE = """
SELECT pg_postmaster_start_time(), 'server'::regclass::oid::bigint,
    has_function_privilege('pg_control_system()', 'EXECUTE')"""
_CLUSTER = "SELECT system_identifier::text FROM pg_control_system()"
IS_SAME = "pg_postmaster_start_time() = {started} AND 'server'::regclass::oid = {server_table}"


class Reads(Protocol):
    """A connection that can read."""

    async def fetch(self, sql: str, *args: object) -> Sequence[asyncpg.Record]: ...
    async def fetchval(self, sql: str, *args: object) -> Any: ...


class LifeChanged(StorageUnavailable):
    """The database is not the one that this process used before. Nothing was read or written."""


class Life(msgspec.Struct, frozen=True):
    """The identity of a running PostgreSQL server and its database.

    Attributes:
        cluster: PostgreSQL's system identifier; "" if this role may not read it.
        started: when the server was started.
        server_table: the object id of the table `server`.
    """

    cluster: str
    started: datetime
    server_table: int

    def __str__(self) -> str:
        return f"{self.cluster}/{self.started.isoformat()}/{self.server_table}"

    @property
    def check(self) -> str:
        """SQL that fails with `division_by_zero` if the database has another identity.

        It is sent together with BEGIN, so it costs no round trip.
        """
        return f"SELECT {self._is_same}"

    def checked(self, sql: str) -> str:
        """Return a query with the same rows, which fails like `check` if the database has another identity."""
        # The condition depends on no row, so PostgreSQL checks it first and once.
        return f"SELECT * FROM ({sql}) AS found WHERE {self._is_same} = 1"

    @property
    def _is_same(self) -> str:
        same = IS_SAME.format(started=f"'{self.started.isoformat()}'::timestamptz", server_table=self.server_table)
        return f"1 / ({same})::int"


async def read_life(connection: Reads) -> Life:
    """Read the identity from the server. Raises StorageError."""
    ((started, server_table, is_readable),) = await connection.fetch(_LIFE)
    cluster = str(await connection.fetchval(_CLUSTER)) if is_readable else ""
    return Life(cluster, started, server_table)
