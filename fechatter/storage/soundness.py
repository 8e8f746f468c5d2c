"""Checks of PostgreSQL's version and settings: faults that damage stored data, and faults that are only undesirable.

The server refuses to start on a fault of the first kind. `fechatter doctor` reports both kinds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from fechatter.errors import StartError
from fechatter.storage.engines.postgres_link import Link

MIN_VERSION: Final = 14
BESIDES_POOL: Final = 5
"""Connections outside the pool: one for the writer, and a few for commands."""
_FOUND = """
SELECT current_setting('server_version_num')::int / 10000 AS version, current_setting('server_encoding') AS encoding,
    current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
    pg_is_in_recovery() AS in_recovery, current_setting('default_transaction_read_only') AS read_only,
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS connections"""


class DatabaseFault(msgspec.Struct, frozen=True):
    """A fault of a database and its remedy. `ruins` is True if stored data would be wrong or lost."""

    state: str
    remedy: str
    ruins: bool


async def look(link: Link) -> Mapping[str, Any]:
    """Return PostgreSQL's settings and state, for `faults`."""
    return dict((await link.fetch(_FOUND))[0])


def faults(found: Mapping[str, Any], connection_limit: int) -> Sequence[DatabaseFault]:
    """Return all faults in what `look` returned; faults that ruin data come first."""
    wanted = connection_limit + BESIDES_POOL
    encoding = "Create the database again: createdb --encoding=UTF8 --template=template0."
    upgrade = f"Upgrade to {MIN_VERSION} or later."
    connections = f"Set max_connections to {wanted + 3}, or connection_limit lower."
    judged = [
        (found["version"] < MIN_VERSION, True, f"PostgreSQL {found['version']}", upgrade),
        (found["encoding"] != "UTF8", True, f"encoding {found['encoding']}", encoding),
        (found["in_recovery"], True, "it is a standby", "Name the primary in database_url."),
        (found["fsync"] != "on", True, "fsync = off", "Set fsync = on: a crash loses or damages stored messages."),
        (found.get("read_only") == "on", False, "it is read-only", "Set default_transaction_read_only = off."),
        (
            found["full_page_writes"] != "on",
            False,
            "full_page_writes = off",
            "Set full_page_writes = on, unless the file system itself prevents torn pages.",
        ),
        (found["connections"] < wanted, False, f"{found['connections']} connections", connections),
    ]
    return [DatabaseFault(state, remedy, ruins) for wrong, ruins, state, remedy in judged if wrong]


async def check_sound(link: Link) -> None:
    """Raises StartError: PostgreSQL would damage or lose stored data."""
    for fault in faults(await look(link), 0):
        if fault.ruins:
            raise StartError(f"PostgreSQL is not fit for use: {fault.state}. {fault.remedy}")
