"""Translation of driver errors: a few are known, and every other error means that the database is unavailable."""

from __future__ import annotations

import sqlite3
import ssl

import asyncpg
import pytest
from asyncpg import exceptions

from fechatter.errors import StorageError
from fechatter.storage.engines.errors import (
    RowRefused,
    StorageFull,
    StorageUnavailable,
    TransactionConflict,
    UniqueViolation,
)
from fechatter.storage.engines.postgres_errors import SYNTAX_ERROR, spares_connection, translate
from fechatter.storage.engines.sqlite_errors import translated

DRIVER = [
    error
    for error in vars(exceptions).values()
    if isinstance(error, type) and issubclass(error, Exception) and not issubclass(error, Warning)
]
KNOWN = (RowRefused, StorageFull, TransactionConflict, UniqueViolation)


@pytest.mark.parametrize("kind", DRIVER, ids=lambda kind: kind.__name__)
def test_every_driver_error_is_translated(kind: type[Exception]) -> None:
    translated_error = translate(kind("as it is"))
    if getattr(kind, "sqlstate", None) == SYNTAX_ERROR:
        assert isinstance(translated_error, kind)
    else:
        assert isinstance(translated_error, StorageError)
        assert spares_connection(translated_error) == isinstance(translated_error, KNOWN)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InternalClientError("got result for unknown protocol state 0"),
        asyncpg.InvalidPasswordError("no"),
        asyncpg.InvalidCatalogNameError("no database"),
        asyncpg.ReadOnlySQLTransactionError("read-only"),
        asyncpg.UndefinedTableError("no table"),
        asyncpg.InsufficientPrivilegeError("no rights"),
        ssl.SSLError("a bad record"),
        EOFError(),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "malformed"),
        IndexError("a malformed packet"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_unknown_error_means_unavailable(error: Exception) -> None:
    assert type(translate(error)) is StorageUnavailable


ROWS = [asyncpg.CheckViolationError, asyncpg.CharacterNotInRepertoireError, asyncpg.RaiseError]


@pytest.mark.parametrize("kind", ROWS)
def test_an_error_about_a_row_refuses_the_row_and_quotes_nothing(kind: type[asyncpg.PostgresError]) -> None:
    error = kind("failing row")
    error.detail = "SECRET"
    translated_error = translate(error)
    assert isinstance(translated_error, RowRefused)
    assert "SECRET" not in str(translated_error)


def test_misuse_of_sqlite_is_a_bug_of_the_program() -> None:
    connection = sqlite3.connect(":memory:")
    connection.close()
    with pytest.raises(sqlite3.ProgrammingError), translated():
        connection.execute("SELECT 1")


def test_other_errors_of_sqlite_are_translated() -> None:
    with sqlite3.connect(":memory:") as connection:
        with pytest.raises(StorageUnavailable, match="no such table"), translated():
            connection.execute("SELECT * FROM nowhere")
        with pytest.raises(RowRefused), translated():
            connection.execute("SELECT ?", (1 << 70,))
    connection.close()
