"""Applies migrations to an SQLite file, see `storage.migrate`."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from fechatter.disk.drafts import beside, remove_dead, sync
from fechatter.disk.troubles import trouble
from fechatter.errors import StartError
from fechatter.storage import migrate
from fechatter.storage.engines.sqlite_open import copy_database, open_file
from fechatter.storage.engines.sqlite_remains import check_no_remains
from fechatter.storage.migrate import Migration

LOCK_SECONDS = 60.0
"""How long a start waits for another process that migrates the same file."""


def migrate_sqlite(path: Path) -> list[str]:
    """Bring the file up to date and return the names of the applied migrations.

    A file that has rows is first copied to `<name>.before-NNNN`. Raises StartError.
    """
    check_no_remains(path)
    remove_dead(path.parent)
    _create_private(path)
    try:
        with closing(open_file(path, timeout=LOCK_SECONDS)) as connection:
            # A file of another program must stay unchanged, so check before anything is written.
            applied(connection)
            return _migrate(connection, path)
    except (sqlite3.Error, OSError) as error:
        raise StartError(trouble(error, path)) from error


def _create_private(path: Path) -> None:
    """Create the file with access for its owner only; SQLite gives its side files the same permissions."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StartError(trouble(error, path)) from error


def _migrate(connection: sqlite3.Connection, path: Path) -> list[str]:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(migrate.TABLE)
        todo = missing(connection)
        if todo and len(todo) < len(migrate.available("sqlite")):
            _copy(path, todo[0].version)
        apply(connection, todo)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return [migration.name for migration in todo]


def missing(connection: sqlite3.Connection) -> list[Migration]:
    """Return the migrations that are not applied yet. Raises StartError."""
    return migrate.pending(migrate.available("sqlite"), applied(connection))


def applied(connection: sqlite3.Connection) -> dict[str, str | None]:
    """Return the checksum of each applied migration by its version; an empty database has none.

    Raises StartError: the database belongs to another program.
    """
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "schema_migrations" in tables:
        return {row[0]: row[1] for row in connection.execute("SELECT version, checksum FROM schema_migrations")}
    if tables:
        raise migrate.foreign_database(tables)
    return {}


def apply(connection: sqlite3.Connection, migrations: list[Migration]) -> None:
    """Apply the migrations in the open transaction."""
    for migration in migrations:
        for statement in _statements(migration.sql):
            connection.execute(statement)
        row = (migration.version, migration.name, migration.checksum)
        connection.execute("INSERT INTO schema_migrations VALUES (?, ?, ?)", row)


def _copy(path: Path, version: str) -> None:
    # The write lock is held, and a second connection reads the last commit, so the copy is complete.
    target = path.with_name(f"{path.name}.before-{version}")
    with beside(target) as (file, part), closing(open_file(path)) as source:
        copy_database(source, part)
        shutil.copymode(path, part)
        os.fsync(file.fileno())
        part.rename(target)
        sync(target.parent)


def _statements(sql: str) -> list[str]:
    """Split the SQL into statements, because `executescript` would commit the open transaction."""
    statements, current = [], ""
    for line in sql.splitlines(keepends=True):
        current += line
        if sqlite3.complete_statement(current):
            statements.append(current)
            current = ""
    return [*statements, current] if current.strip() else statements
