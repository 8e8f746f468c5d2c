"""Errors that the engines raise; drivers' errors are translated into these."""

from __future__ import annotations

from fechatter.errors import StorageError


class UniqueViolation(StorageError):
    """A row with the same key already exists; `constraint` is the engine's name of the violated constraint."""

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint


class RowRefused(StorageError):
    """The database refuses this row: the same statement would fail again, but other rows can be stored."""


class StorageFull(StorageError):
    """The disk is full. The transaction was rolled back."""


class StorageUnavailable(StorageError):
    """The database cannot be used, for any reason. It is unknown whether a commit in progress took place."""


class StorageLost(StorageUnavailable):
    """The files of the open database were deleted, moved or replaced. Nothing is written until they are back."""


class TransactionConflict(StorageUnavailable):
    """Another transaction interfered, or the transaction could not begin. Nothing was stored; the work can be retried
    at once."""


class StorageBusy(StorageUnavailable):
    """A queue in front of the database is full. No work was started. `code` is the error code of the response."""

    def __init__(self, code: str) -> None:
        super().__init__(f"a queue is full: {code}")
        self.code = code
