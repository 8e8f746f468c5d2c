"""Translates errors from Python's sqlite3 module; see `postgres_errors.py`."""

from __future__ import annotations

import sqlite3

from fechatter.storage.engines.errors import RowRefused, StorageFull, StorageUnavailable, UniqueViolation
from fechatter.telemetry.faults import describe_error

UNIQUE = (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
ROW_CODES = (sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE)
"""Primary result codes for a row whose values are refused."""


def translate(error: Exception) -> Exception:
    """Return the engine-neutral error. An unknown error means that the database cannot be used; misuse of the module
    stays unchanged."""
    code = getattr(error, "sqlite_errorcode", None)
    if code in UNIQUE:
        return UniqueViolation(str(error))
    # Python itself refuses numbers beyond 64 bits and unpaired surrogates.
    if isinstance(error, OverflowError | UnicodeError) or (code is not None and code & 0xFF in ROW_CODES):
        return RowRefused(describe_error(error))
    if code is not None and code & 0xFF == sqlite3.SQLITE_FULL:
        return StorageFull("the disk is full")
    if isinstance(error, sqlite3.DatabaseError | MemoryError) and not isinstance(error, sqlite3.ProgrammingError):
        return StorageUnavailable(describe_error(error))
    return error


class translated:  # `contextmanager` would cost four times as much per statement
    """Translate errors that are raised in the block."""

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and (meant := translate(error)) is not error:
            raise meant from error
