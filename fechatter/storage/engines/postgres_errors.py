"""Translates errors from asyncpg, PostgreSQL and the socket.

The list of known errors is short. Every other error means that the database cannot be used, because no list covers all
failures of drivers, poolers and proxies.
"""

from __future__ import annotations

import asyncpg

from fechatter.storage.engines.errors import (
    RowRefused,
    StorageFull,
    StorageUnavailable,
    TransactionConflict,
    UniqueViolation,
)
from fechatter.telemetry.faults import describe_error

UNIQUE_VIOLATION = "23505"
DISK_FULL = "53100"
SYNTAX_ERROR = "42601"
CONFLICTS = ("40001", "40P01")
"""SQLSTATEs `serialization_failure` and `deadlock_detected`."""
ROW_CLASSES = ("22", "23", "P0001")
"""SQLSTATE classes of data exceptions and violated constraints, and the SQLSTATE of RAISE in a trigger."""


def translate(error: Exception) -> Exception:
    """Return the engine-neutral error. A syntax error in a statement stays unchanged, because it is a bug in this
    program."""
    state = getattr(error, "sqlstate", None) or ""
    if state == UNIQUE_VIOLATION:
        return UniqueViolation(getattr(error, "constraint_name", None) or describe_error(error))
    if state.startswith(ROW_CLASSES) or (isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError)):
        return RowRefused(describe_error(error))
    if state == DISK_FULL:
        return StorageFull("the database's disk is full")
    if state in CONFLICTS:
        return TransactionConflict(describe_error(error))
    return error if state == SYNTAX_ERROR else StorageUnavailable(describe_error(error))


def spares_connection(error: Exception) -> bool:
    """Return whether the connection that raised this (translated) error is still usable."""
    return isinstance(error, UniqueViolation | RowRefused | StorageFull | TransactionConflict)


def ended_before(error: BaseException | None) -> bool:
    """Return whether this (untranslated) error of a first statement shows that the connection had already ended."""
    state = getattr(error, "sqlstate", None) or ""
    return state.startswith(("08", "57P")) or not isinstance(error, asyncpg.PostgresError | TimeoutError)
