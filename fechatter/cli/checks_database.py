"""The checks of `fechatter doctor` for the database. They write nothing.

`serve` also runs them, so the driver of PostgreSQL is loaded only for a PostgreSQL database (`checks_postgres.py`).
"""

import asyncio
import sqlite3
import time
from pathlib import Path

from fechatter.cli.findings import CLOCK_SECONDS, Finding, seconds_apart, unusable
from fechatter.disk.troubles import check_exists
from fechatter.errors import StartError
from fechatter.settings import Settings
from fechatter.storage import migrate, opening
from fechatter.storage.engines import sqlite_migrate
from fechatter.storage.engines.sqlite_open import log_file, open_reader
from fechatter.storage.engines.sqlite_remains import check_no_remains
from fechatter.storage.folder import in_use

MIN_SQLITE = (3, 38, 0)
CHECK_SECONDS = 20.0
STEPS_BETWEEN_CHECKS = 10_000
WAL_OFFSET, HEADER_OF_WAL = 18, bytes([2, 2])
"""The offset in a database file at which these two bytes mean that its journal is a write-ahead log."""
_NEWEST = "SELECT created_at FROM messages ORDER BY id DESC LIMIT 1"


def database(settings: Settings) -> Finding:
    """Check that the database answers, and that its tables belong to this version or an earlier one."""
    engine = "postgres" if opening.is_postgres(settings.database_address) else "sqlite"
    try:
        if (waiting := _remains(settings)) is not None:
            return waiting
        pending = pending_migrations(settings.database_address)
    except StartError as error:
        return Finding(
            "database", False, str(error), "Set the right database, or use the version of Fechatter that matches it."
        )
    except (OSError, sqlite3.Error) as error:
        return unusable("database", error, opening.sqlite_path(settings.database_address))
    state = f"{pending} migrations to apply at the next start" if pending else "up to date"
    return Finding("database", True, f"{engine}, {state}")


def _remains(settings: Settings) -> Finding | None:
    """Return what the operator must repair before a server can start on this SQLite file. Raises OSError."""
    path = opening.sqlite_path(settings.database_address)
    if opening.is_postgres(settings.database_address) or not path.parent.is_dir():
        return None
    check_exists(path)
    try:
        check_no_remains(path)
    except StartError as error:
        return Finding("database", False, str(error), "Do that before anything else.")
    if not path.exists() and in_use(settings.data_dir):
        remedy = "Do not kill that server before it has logged where it saved the database."
        return Finding("database", False, f"a server is running, and {path} is gone", remedy)
    return None


def database_settings(settings: Settings) -> Finding:
    """Check that the engine is new enough, and that its settings do not risk the loss of stored data."""
    address = settings.database_address
    try:
        if opening.is_postgres(address):
            from fechatter.cli.checks_postgres import judge, look

            return judge(asyncio.run(look(address)), settings.connection_limit)
        return _sqlite(opening.sqlite_path(address))
    except StartError as error:
        return Finding("database settings", False, str(error), "Start or repair the database first.")
    except (OSError, sqlite3.Error) as error:
        return unusable("database settings", error, opening.sqlite_path(address))


def _sqlite(path: Path) -> Finding:
    if sqlite3.sqlite_version_info < MIN_SQLITE:
        return Finding(
            "database settings",
            False,
            f"SQLite {sqlite3.sqlite_version}",
            "Install a Python with SQLite 3.38 or later.",
        )
    if is_empty(path):
        return Finding("database settings", True, f"SQLite {sqlite3.sqlite_version}, no database yet")
    wal = _has_wal(path)
    remedy = "Start the server once, which sets the mode. A network file system does not support it; use a local disk."
    mode = "WAL" if wal else "not WAL"
    return Finding("database settings", wal, f"SQLite {sqlite3.sqlite_version}, journal mode {mode}", remedy)


def _has_wal(path: Path) -> bool:
    """Whether the database keeps a write-ahead log. Raises OSError.

    A process that closes a file loses all its locks on it, even those of its SQLite connections. Another program could
    then delete the log. So this function does not open the file of a running server, which has a log.
    """
    if log_file(path, "-wal").exists():
        return True
    # On a read-only mount, a connection reports another journal mode than the file has.
    with path.open("rb") as file:
        return file.read(len(HEADER_OF_WAL) + WAL_OFFSET)[WAL_OFFSET:] == HEADER_OF_WAL


def integrity(settings: Settings) -> Finding:
    """Check the SQLite file for damage, for at most 20 seconds. PostgreSQL checks its own files."""
    path = opening.sqlite_path(settings.database_address)
    if opening.is_postgres(settings.database_address) or is_empty(path):
        return Finding("integrity", True, "nothing to check")
    try:
        with open_reader(path) as connection:
            return _checked(connection)
    except StartError as error:
        return Finding("integrity", False, str(error), "Run this again.")
    except (OSError, sqlite3.Error) as error:
        return unusable("integrity", error, path)


def _checked(connection: sqlite3.Connection) -> Finding:
    """Return the result of SQLite's own check. Only a fault that it lists, or SQLITE_CORRUPT, proves damage.

    Raises:
        sqlite3.Error: the check failed for another reason.
    """
    until = time.monotonic() + CHECK_SECONDS
    connection.set_progress_handler(lambda: time.monotonic() > until, STEPS_BETWEEN_CHECKS)
    try:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            state = f"no damage found in {CHECK_SECONDS:.0f} s; the database is too large for a complete check"
            return Finding("integrity", True, state)
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CORRUPT:
            raise
        found = str(error)
    return Finding("integrity", found == "ok", found, _RESTORE)


_RESTORE = "Stop the server, keep a copy of the database file, move it away and restore the newest backup."


def database_clock(settings: Settings) -> Finding:
    """Check that the database's clock agrees with this machine's, and that neither is behind the newest message."""
    subject, remedy = "database clock", "Set the clocks of both machines with NTP."
    before = time.time()
    try:
        newest, there = asyncio.run(_clocks(settings.database_address))
    except StartError as error:
        return Finding(subject, False, str(error), "Start or repair the database first.")
    except (OSError, sqlite3.Error) as error:
        return unusable(subject, error, opening.sqlite_path(settings.database_address))
    now = time.time()
    if there is not None and (apart := seconds_apart(there, before, now)):
        return Finding(subject, False, f"differs from this machine's by {apart:+.1f} s", remedy)
    if newest is not None and newest / 1000 > now + CLOCK_SECONDS:
        state = f"the newest message is {newest / 1000 - now:,.0f} s in the future"
        return Finding(subject, False, state, "Set this machine's clock; it has been set back.")
    return Finding(
        subject, True, "agrees with this machine's" if there is not None else "the newest message is not in the future"
    )


async def _clocks(address: str) -> tuple[int | None, float | None]:
    """Return the time of the newest message in milliseconds, and PostgreSQL's own time in seconds."""
    if opening.is_postgres(address):
        from fechatter.cli.checks_postgres import clocks

        return await clocks(address, _NEWEST)
    path = opening.sqlite_path(address)
    if is_empty(path):
        return None, None
    with open_reader(path) as connection:
        row = connection.execute(_NEWEST).fetchone()
        return (row[0] if row else None), None


def is_empty(path: Path) -> bool:
    """Whether the next start creates the tables, because the file is missing or empty."""
    return not path.exists() or not path.stat().st_size


def pending_migrations(address: str) -> int:
    """Return how many migrations the next start will apply. Writes nothing.

    Raises:
        StartError: the database cannot be reached, or it belongs to another version.
        OSError, sqlite3.Error: the file cannot be read.
    """
    if opening.is_postgres(address):
        from fechatter.cli.checks_postgres import applied

        return len(migrate.pending(migrate.available("postgres"), asyncio.run(applied(address))))
    return len(migrate.pending(migrate.available("sqlite"), _applied_sqlite(opening.sqlite_path(address))))


def _applied_sqlite(path: Path) -> dict[str, str | None]:
    """Return version and checksum of each applied migration; none if there is no file yet."""
    check_exists(path)
    if not path.exists():
        return {}
    with open_reader(path) as connection:
        return sqlite_migrate.applied(connection)
