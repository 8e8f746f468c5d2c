"""Every session setting of PostgreSQL that this server relies on, as SQL.

A role, a database or a pooler may have other defaults. Without a pooler, the settings are sent once per connection.
Behind a pooler they are sent in each transaction, because the next transaction may use another connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

SETTINGS: Final[Mapping[str, str]] = {
    "client_encoding": "UTF8",
    # Refused rows and conflicts must not end the connection.
    "exit_on_error": "off",
    "idle_in_transaction_session_timeout": "10000",
    "idle_session_timeout": "0",
    "jit": "off",
    "lock_timeout": "5000",
    # Every statement finds its rows by key, so a new plan for each parameter value costs more than it saves.
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
"""SQLSTATEs raised by the statement of `_refuse`."""


class SessionSettings(msgspec.Struct, frozen=True):
    """The properties that all connections to one database share.

    Attributes:
        schema: the schema of the tables; "" until it is known.
        pooled: whether PostgreSQL is behind a pooler, so that no state outlives a transaction.
        primary: whether to refuse a standby, because its data may be old.
        version: PostgreSQL's major version.
    """

    schema: str
    pooled: bool
    primary: bool
    version: int

    def at_start(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Return the settings to send when a connection starts.

        Without them, a role's timeouts could end a session before its first statement.
        """
        return {**settings, **({"search_path": self.schema} if self.schema else {})}

    def for_connection(self, settings: Mapping[str, str], server_pid: int) -> str:
        """Return SQL that applies all settings to a connection.

        It fails with POOLED if a backend process other than `server_pid` runs it.
        """
        values = {
            **self._values(settings),
            "default_transaction_isolation": "read committed",
            "default_transaction_deferrable": "off",
        }
        other = _refusal(f"pg_backend_pid() <> {server_pid}", POOLED, "PostgreSQL is behind a connection pooler")
        return "; ".join([*(f"SET {name} TO {_literal(value)}" for name, value in values.items()), self._refuse(other)])

    def begin(self, settings: Mapping[str, str], how: str) -> str:
        """Return SQL that begins a transaction: `how` is READ or WRITE. Every explicit transaction begins with it."""
        if not self.pooled:
            return f"BEGIN ISOLATION LEVEL {how}"
        locals_ = [f"SET LOCAL {name} TO {_literal(value)}" for name, value in self._values(settings).items()]
        return "; ".join([f"BEGIN ISOLATION LEVEL {how}", *locals_, self._refuse()])

    def _values(self, settings: Mapping[str, str]) -> dict[str, str]:
        newer = {name: "0" for name, version in SINCE.items() if self.version >= version}
        return {**newer, **self.at_start(settings)}

    def _refuse(self, *refusals: str) -> str:
        standby = _refusal("pg_is_in_recovery()", STANDBY, "it is a standby; name the primary in database_url")
        return f"DO $guard$BEGIN {' '.join([*refusals, *([standby] if self.primary else [])])} END$guard$"


def _refusal(condition: str, state: str, message: str) -> str:
    return f"IF {condition} THEN RAISE EXCEPTION USING ERRCODE = '{state}', MESSAGE = '{message}'; END IF;"


def _literal(value: str) -> str:
    """Quote a value so that `standard_conforming_strings` does not matter."""
    doubled = value.replace("\\", "\\\\").replace("'", "''")
    return f"E'{doubled}'"
