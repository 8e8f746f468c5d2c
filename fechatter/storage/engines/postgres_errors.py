"""What each error of asyncpg, of PostgreSQL and of the socket means for this server.

The list of known errors is short, and everything else means that the database cannot be used: drivers, poolers and
proxies fail in ways that no list holds.
"""

from __future__ import annotations

import asyncpg

from fechatter.storage.engines.base import (
    RowRefused,
    StorageFull,
    StorageUnavailable,
    TransactionConflict,
    UniqueViolation,
)
from fechatter.telemetry.faults import told

UNIQUE_VIOLATION = "23505"
DISK_FULL = "53100"
SYNTAX_ERROR = "42601"
CONFLICTS = ("40001", "40P01")
"""serialization_failure, deadlock_detected."""
ROW_CLASSES = ("22", "23", "P0001")
"""Data exceptions, violated constraints, and what a trigger of the operator refuses."""


def translate(error: Exception) -> Exception:
    """The engine-neutral error. A statement that PostgreSQL cannot parse stays what it is, a fault of this program."""
    state = getattr(error, "sqlstate", None) or ""
    if state == UNIQUE_VIOLATION:
        return UniqueViolation(getattr(error, "constraint_name", None) or told(error))
    if state.startswith(ROW_CLASSES) or (isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError)):
        return RowRefused(told(error))
    if state == DISK_FULL:
        return StorageFull("the database's disk is full")
    if state in CONFLICTS:
        return TransactionConflict(told(error))
    return error if state == SYNTAX_ERROR else StorageUnavailable(told(error))


def spares_connection(error: Exception) -> bool:
    """Whether the connection that raised this (translated) error can be used further."""
    return isinstance(error, UniqueViolation | RowRefused | StorageFull | TransactionConflict)


def ended_before(error: BaseException | None) -> bool:
    """Whether this (untranslated) error of the first statement says that the connection had ended before it."""
    state = getattr(error, "sqlstate", None) or ""
    return state.startswith(("08", "57P")) or not isinstance(error, asyncpg.PostgresError | TimeoutError)
