"""Every setting of a PostgreSQL session that this server relies on, as SQL.

A role, a database or a pooler may have other defaults. Without a pooler they are set once for a connection; behind one
they are set in each transaction, because the next transaction may run on another of the pooler's connections.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

SETTINGS: Final[Mapping[str, str]] = {
    "client_encoding": "UTF8",
    # Refused rows and conflicts are answers, not ends of a connection.
    "exit_on_error": "off",
    "idle_in_transaction_session_timeout": "10000",
    "idle_session_timeout": "0",
    "jit": "off",
    "lock_timeout": "5000",
    # Every statement finds its rows by key, so planning again for each parameter value costs more than it gains.
    "plan_cache_mode": "force_generic_plan",
    "standard_conforming_strings": "on",
    "statement_timeout": "10000",
    "synchronous_commit": "on",
    "timezone": "UTC",
}
SINCE: Final[Mapping[str, int]] = {"transaction_timeout": 17}
"""Settings of newer PostgreSQL versions, by the first version that supports them."""

READ: Final = "REPEATABLE READ READ ONLY"
WRITE: Final = "READ COMMITTED"
"""Not READ WRITE, so that an operator can stop writes by making the database read-only."""

POOLED: Final = "FE001"
STANDBY: Final = "FE002"
"""The SQLSTATEs that the guard raises."""


class SessionSettings(msgspec.Struct, frozen=True):
    """The properties that all connections to one database share.

    Attributes:
        schema: where the tables are; "" until it is known.
        pooled: a pooler stands in front, so no state outlives a transaction.
        primary: refuse a standby, whose data may be old.
        version: PostgreSQL's major version.
    """

    schema: str
    pooled: bool
    primary: bool
    version: int

    def at_start(self, settings: Mapping[str, str]) -> dict[str, str]:
        """The settings sent at connection start, because a role's timeouts may end a session before the first
        statement."""
        return {**settings, **({"search_path": self.schema} if self.schema else {})}

    def for_connection(self, settings: Mapping[str, str], server_pid: int) -> str:
        """Set everything for the connection; fails with POOLED when another process than `server_pid` runs it."""
        values = {
            **self._values(settings),
            "default_transaction_isolation": "read committed",
            "default_transaction_deferrable": "off",
        }
        other = _refusal(f"pg_backend_pid() <> {server_pid}", POOLED, "a pooler stands in front of PostgreSQL")
        return "; ".join([*(f"SET {name} TO {_literal(value)}" for name, value in values.items()), self._guard(other)])

    def begin(self, settings: Mapping[str, str], how: str) -> str:
        """Begin a transaction: `how` is READ or WRITE. Every explicit transaction of this server begins with this."""
        if not self.pooled:
            return f"BEGIN ISOLATION LEVEL {how}"
        locals_ = [f"SET LOCAL {name} TO {_literal(value)}" for name, value in self._values(settings).items()]
        return "; ".join([f"BEGIN ISOLATION LEVEL {how}", *locals_, self._guard()])

    def _values(self, settings: Mapping[str, str]) -> dict[str, str]:
        newer = {name: "0" for name, version in SINCE.items() if self.version >= version}
        return {**newer, **self.at_start(settings)}

    def _guard(self, *refusals: str) -> str:
        standby = _refusal("pg_is_in_recovery()", STANDBY, "it is a standby; name the primary in database_url")
        return f"DO $guard$BEGIN {' '.join([*refusals, *([standby] if self.primary else [])])} END$guard$"


def _refusal(condition: str, state: str, message: str) -> str:
    return f"IF {condition} THEN RAISE EXCEPTION USING ERRCODE = '{state}', MESSAGE = '{message}'; END IF;"


def _literal(value: str) -> str:
    """Read the same whether `standard_conforming_strings` is on or not."""
    doubled = value.replace("\\", "\\\\").replace("'", "''")
    return f"E'{doubled}'"
