"""Migrations: plain SQL files in dbmate's format, the same names for both engines, forward only.

Each file runs in one transaction together with its line in `schema_migrations`, under a lock, so several processes may start at once.
A file that changed after it was applied, a database newer than the program, and one that is not empty and not ours are refused.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import msgspec

from fechatter.disk.drafts import beside, remove_dead, sync
from fechatter.disk.troubles import check_exists, trouble
from fechatter.errors import StartError, StorageError
from fechatter.storage.engines.postgres_link import Connector, Link
from fechatter.storage.engines.postgres_settings import WRITE
from fechatter.storage.engines.sqlite_files import rescued
from fechatter.storage.engines.sqlite_open import copy_database, open_file
from fechatter.storage.soundness import check_sound

_NAME = re.compile(r"^\d{4}_[a-z0-9_]+\.sql$")
ADVISORY_LOCK = 0x6665636861747465
MIGRATION_SETTINGS = {"statement_timeout": "0", "lock_timeout": "0", "idle_in_transaction_session_timeout": "0"}
"""A large table takes its time, and who starts second waits for who started first."""
MIGRATION_SECONDS = 6 * 3600.0
TABLE = "CREATE TABLE IF NOT EXISTS schema_migrations (version TEXT PRIMARY KEY, name TEXT, checksum TEXT)"


class Migration(msgspec.Struct, frozen=True):
    version: str
    name: str
    sql: str
    checksum: str


def folder(engine: str) -> Path:
    """The engine's migration files: beside the package in a checkout, inside it in a wheel."""
    here = Path(__file__).resolve().parents[1]
    installed = here / "migrations" / engine
    return installed if installed.is_dir() else here.parent / "migrations" / engine


def available(engine: str) -> list[Migration]:
    """This program's migrations, oldest first. Raises StartError when the files are missing."""
    files = sorted(path for path in folder(engine).glob("*.sql") if _NAME.match(path.name))
    if not files:
        raise StartError(f"The migration files of {engine} are missing from this installation; install it again.")
    return [_parse(path) for path in files]


def _parse(path: Path) -> Migration:
    text = path.read_text(encoding="utf-8")
    up = text.split("-- migrate:up", 1)[-1].split("-- migrate:down", 1)[0]
    return Migration(path.name[:4], path.name, up, hashlib.sha256(text.encode()).hexdigest())


def pending(migrations: list[Migration], applied: dict[str, str | None]) -> list[Migration]:
    """What is still to run. Raises StartError when the database and this program do not fit."""
    known = {migration.version: migration for migration in migrations}
    newer = sorted(set(applied) - set(known))
    if newer:
        raise StartError(f"The database is newer than this program (migration {newer[-1]}); start the newer program.")
    for version, checksum in applied.items():
        if checksum is not None and checksum != known[version].checksum:
            raise StartError(f"Migration {known[version].name} was changed after it was applied; restore the file.")
    return [migration for migration in migrations if migration.version not in applied]


def _foreign(tables: set[str]) -> StartError:
    return StartError(f"The database is not empty and not Fechatter's (it has a table {sorted(tables)[0]}); name an empty database.")


def migrate_sqlite(path: Path) -> list[str]:
    """Bring the file up to date; it is copied to `<name>.before-NNNN` first. Returns the names applied. Raises StartError."""
    check_no_remains(path)
    remove_dead(path.parent)
    _make_private(path)
    try:
        with closing(open_file(path, timeout=60)) as connection:
            _refuse_foreign(connection)
            return _migrate_sqlite(connection, path)
    except (sqlite3.Error, OSError) as error:
        raise StartError(trouble(error, path)) from error


def restoring(path: Path) -> Path:
    """Where a database stands while it is restored; it takes its place when it is whole."""
    return path.with_name(f"{path.name}.restoring")


def check_no_remains(path: Path) -> None:
    """Raises StartError: a restore was interrupted, or a rescued copy of the database must be put back first."""
    try:
        check_exists(path)
        interrupted, saved = restoring(path).exists(), rescued(path)
    except OSError as error:
        raise StartError(trouble(error, path)) from error
    if interrupted:
        raise StartError(f"A restore was interrupted: run `fechatter restore` again, or remove {restoring(path)}.")
    if saved:
        raise StartError(
            f"{saved[-1]} is the database that the server saved when its file was deleted or replaced. "
            f"Put it back with `mv {shlex.quote(str(saved[-1]))} {shlex.quote(str(path))}`, or move it elsewhere."
        )


def _make_private(path: Path) -> None:
    """A new file is for its owner alone, and what SQLite puts beside it follows its rights."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StartError(trouble(error, path)) from error


def _refuse_foreign(connection: sqlite3.Connection) -> None:
    """Before anything is written: a file that is not ours stays as it is."""
    applied_sqlite(connection)


def _migrate_sqlite(connection: sqlite3.Connection, path: Path) -> list[str]:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(TABLE)
        todo = missing_sqlite(connection)
        if todo and len(todo) < len(available("sqlite")):
            _copy(path, todo[0].version)
        apply_sqlite(connection, todo)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return [migration.name for migration in todo]


def missing_sqlite(connection: sqlite3.Connection) -> list[Migration]:
    """What is still to be applied. Raises StartError."""
    return pending(available("sqlite"), applied_sqlite(connection))


def applied_sqlite(connection: sqlite3.Connection) -> dict[str, str | None]:
    """Version and checksum of each; none in an empty database. Raises StartError: it is another program's."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "schema_migrations" in tables:
        return {row[0]: row[1] for row in connection.execute("SELECT version, checksum FROM schema_migrations")}
    if tables:
        raise _foreign(tables)
    return {}


def apply_sqlite(connection: sqlite3.Connection, migrations: list[Migration]) -> None:
    """Apply them in the transaction that is open."""
    for migration in migrations:
        for statement in _statements(migration.sql):
            connection.execute(statement)
        connection.execute("INSERT INTO schema_migrations VALUES (?, ?, ?)", (migration.version, migration.name, migration.checksum))


def _copy(path: Path, version: str) -> None:
    # The write lock is held and a second connection sees the last commit: the copy is whole.
    target = path.with_name(f"{path.name}.before-{version}")
    with beside(target) as (file, part), closing(open_file(path)) as source:
        copy_database(source, part)
        shutil.copymode(path, part)
        os.fsync(file.fileno())
        part.rename(target)
        sync(target.parent)


def _statements(sql: str) -> list[str]:
    """Single statements, so that none of them commits the transaction as `executescript` would."""
    statements, current = [], ""
    for line in sql.splitlines(keepends=True):
        current += line
        if sqlite3.complete_statement(current):
            statements.append(current)
            current = ""
    return [*statements, current] if current.strip() else statements


async def migrate_postgres(url: str) -> list[str]:
    """Bring the database up to date. Returns the names applied. Raises StartError."""
    async with connected(
        Connector(url, application="fechatter migrate", settings=MIGRATION_SETTINGS, command_seconds=MIGRATION_SECONDS)
    ) as link:
        async with link.transaction(WRITE):
            await check_sound(link)
            return await _migrate_postgres(link)


@asynccontextmanager
async def connected(connector: Connector) -> AsyncIterator[Link]:
    """A connection for as long as the block takes. Raises StartError: it cannot be had, or the database refused something."""
    try:
        link = await connector.link()
    except StorageError as error:
        if "statement pooling" in str(error):
            raise StartError("PgBouncer runs with pool_mode = statement, which allows no transactions; set it to transaction.") from error
        raise StartError(f"The database cannot be reached ({error}); check FECHATTER_DATABASE_URL.") from error
    try:
        yield link
    except StorageError as error:
        raise StartError(f"The database refused ({error}).") from error
    finally:
        await link.close()


async def _migrate_postgres(link: Link) -> list[str]:
    await link.fetch("SELECT pg_advisory_xact_lock($1)", ADVISORY_LOCK)
    rows = await link.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    tables = {row["tablename"] for row in rows}
    if tables and "schema_migrations" not in tables:
        raise _foreign(tables)
    await link.execute(TABLE)
    todo = await missing_postgres(link)
    await apply_postgres(link, todo)
    return [migration.name for migration in todo]


async def missing_postgres(link: Link) -> list[Migration]:
    """What is still to be applied. Raises StartError."""
    return pending(available("postgres"), await applied_postgres(link))


async def applied_postgres(link: Link) -> dict[str, str | None]:
    """Version and checksum of each."""
    return {row["version"]: row["checksum"] for row in await link.fetch("SELECT version, checksum FROM schema_migrations")}


async def apply_postgres(link: Link, migrations: list[Migration]) -> None:
    """Apply them in the transaction that is open."""
    for migration in migrations:
        await link.execute(migration.sql)
        row = (migration.version, migration.name, migration.checksum)
        await link.execute("INSERT INTO schema_migrations VALUES ($1, $2, $3)", *row)
