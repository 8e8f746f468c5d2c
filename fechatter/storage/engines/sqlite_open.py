"""Opens SQLite files. Every connection of this program is opened here, so that every path is quoted in its URI.

SQLite creates the side files `-wal` and `-shm` in the database's folder, even for a reader. If that folder cannot
be written, for example on a read-only mount, `open_reader` opens the file in a way that still shows every committed
row.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

from fechatter.disk.troubles import FULL_BYTES
from fechatter.errors import StartError

Mode = Literal["rw", "rwc", "ro"]
TIMEOUT_SECONDS: Final = 5.0


def uri(path: Path, mode: Mode, *, immutable: bool = False) -> str:
    """Return the path as an SQLite URI, for any characters; relative paths start at the working folder."""
    query = f"mode={mode}&immutable=1" if immutable else f"mode={mode}"
    return f"file://{quote(os.fsencode(path.absolute()), safe='/')}?{query}"


def open_file(
    path: Path,
    mode: Mode = "rw",
    *,
    immutable: bool = False,
    timeout: float = TIMEOUT_SECONDS,
) -> sqlite3.Connection:
    """Open a connection in autocommit mode that any thread may use.

    Args:
        path: the database file.
        mode: `rwc` creates the file if it is missing; `rw` and `ro` never do.
        immutable: read without locks and without the write-ahead log. Nobody may write to the file meanwhile.
        timeout: how many seconds a statement waits for a lock.

    Raises:
        sqlite3.OperationalError: the file cannot be opened.
    """
    return sqlite3.connect(
        uri(path, mode, immutable=immutable),
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=timeout,
        cached_statements=256,
    )


@contextmanager
def open_reader(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a read-only connection that sees every committed row, even on a read-only file system.

    Raises:
        StartError: the file changed while it was read without locks, or a copy is needed and there is no room for it.
        sqlite3.Error: the file cannot be read.
    """
    if _is_open(path):
        # A connection that can write may delete the log of a server whose database file was replaced.
        with closing(open_file(path, "ro")) as connection:
            yield connection
    elif _can_create_logs(path):
        with closing(open_file(path)) as connection:
            yield connection
    elif not _has_log(path):
        with _unchanged(path), closing(open_file(path, "ro", immutable=True)) as connection:
            yield connection
    else:
        # Without -shm, SQLite reads the log only where it can create one.
        with _copied(path) as copy, closing(open_file(copy)) as connection:
            yield connection


def log_file(path: Path, ending: str) -> Path:
    """Return the path of a side file: `-wal`, `-shm` or `-journal`."""
    return path.with_name(path.name + ending)


def _is_open(path: Path) -> bool:
    """Whether a log and its index exist, as they do while a server runs, and after it was killed."""
    return log_file(path, "-shm").exists() and log_file(path, "-wal").exists()


def _can_create_logs(path: Path) -> bool:
    writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    return writable and shutil.disk_usage(path.parent).free >= FULL_BYTES


def _has_log(path: Path) -> bool:
    """Whether rows may be in a log next to the file, from a running or killed server."""
    return any(log.exists() and log.stat().st_size > 0 for log in (log_file(path, "-wal"), log_file(path, "-journal")))


def _state(path: Path) -> tuple[object, ...]:
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, _has_log(path)


@contextmanager
def _unchanged(path: Path) -> Iterator[None]:
    """Check that nobody writes to the file during the block. Raises StartError."""
    before = _state(path)
    yield
    if _state(path) != before:
        raise StartError(f"{path} changed while it was read; a server was started on it. Run the command again.")


@contextmanager
def _copied(path: Path) -> Iterator[Path]:
    """Copy the database and its log to a temporary folder for the block. Raises StartError: there is no room."""
    files = [file for file in (path, log_file(path, "-wal"), log_file(path, "-journal")) if file.exists()]
    wanted_bytes = sum(file.stat().st_size for file in files)
    with tempfile.TemporaryDirectory(prefix="fechatter-") as folder:
        if shutil.disk_usage(folder).free < wanted_bytes:
            wanted = f"{tempfile.gettempdir()} needs {wanted_bytes / 1e6:,.0f} MB"
            raise StartError(f"{path} is read-only and must be copied: {wanted}; set TMPDIR.")
        with _unchanged(path):
            for file in files:
                shutil.copyfile(file, Path(folder) / file.name)
        yield Path(folder) / path.name


def copy_database(source: sqlite3.Connection, target: Path) -> None:
    """Copy everything that was committed into an empty file, in one step. Raises sqlite3.Error."""
    with closing(open_file(target)) as copy:
        # The caller syncs the file once. A failed copy is deleted, so it needs no journal.
        copy.execute("PRAGMA journal_mode=OFF")
        copy.execute("PRAGMA synchronous=OFF")
        source.backup(copy)
