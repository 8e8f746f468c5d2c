"""Which PostgreSQL answers: a transaction that reaches another one than the node knows must not go on in the era that it knows.

A standby that was promoted, files that were rolled back and a restarted server have another start time. A database that was dropped and
restored in the same cluster has another table. Connections cannot tell: a pooler hides that they are new.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from fechatter.storage.engines.base import StorageUnavailable

_LIFE = """
SELECT pg_postmaster_start_time(), 'server'::regclass::oid::bigint, has_function_privilege('pg_control_system()', 'EXECUTE')"""
_CLUSTER = "SELECT system_identifier::text FROM pg_control_system()"
IS_SAME = "pg_postmaster_start_time() = {started} AND 'server'::regclass::oid = {server_table}"


class Reads(Protocol):
    """A connection to read from."""

    async def fetch(self, sql: str, *args: object) -> Sequence[Any]: ...
    async def fetchval(self, sql: str, *args: object) -> Any: ...


class LifeChanged(StorageUnavailable):
    """Another database answers than the one that this process knows. Nothing was read or written."""


class Life(msgspec.Struct, frozen=True):
    """
    Attributes:
        cluster: PostgreSQL's system identifier; "" if this role may not read it.
        started: when the server that answers was started.
        server_table: the object id of the table `server`.
    """

    cluster: str
    started: datetime
    server_table: int

    def __str__(self) -> str:
        return f"{self.cluster}/{self.started.isoformat()}/{self.server_table}"

    @property
    def check(self) -> str:
        """A statement that fails with `division_by_zero` in another life; it needs no round trip of its own after a BEGIN."""
        same = IS_SAME.format(started=f"'{self.started.isoformat()}'::timestamptz", server_table=self.server_table)
        return f"SELECT 1 / ({same})::int"


async def read_life(connection: Reads) -> Life:
    """Raises StorageError."""
    ((started, server_table, is_readable),) = await connection.fetch(_LIFE)
    cluster = str(await connection.fetchval(_CLUSTER)) if is_readable else ""
    return Life(cluster, started, server_table)
