"""Notices when the files of an open SQLite database are deleted, moved or replaced, and then saves the open database.

SQLite continues to use deleted files without an error, and everything written to them is lost when the process ends. So
the writer calls `check` before it acknowledges anything. While a file is missing, nothing is written, and a thread
copies the open database, which is the last copy, into a new file. The server may stop only after that file is synced.
"""

from __future__ import annotations

import logging
import os
import shlex
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from fechatter.disk.drafts import beside, sync
from fechatter.disk.troubles import trouble
from fechatter.storage.engines.errors import StorageLost
from fechatter.storage.engines.sqlite_open import copy_database, log_file, open_file

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS: Final = 1.0
RETRY_EVERY_SECONDS: Final = 5.0
STOP_SECONDS: Final = 8.0
RESCUED: Final = ".rescued-"

OnRescued = Callable[[StorageLost], object]


class OpenFiles:
    """The database file and its side files, as they were when the database was opened."""

    def __init__(self, path: Path) -> None:
        files = [str(file) for file in (path, log_file(path, "-wal"), log_file(path, "-shm")) if file.exists()]
        self._opened = [(file, _identity(os.stat(file))) for file in files]

    def lost(self) -> str | None:
        """Return a description of a lost file, or None. Raises StorageLost: the system cannot check the file."""
        for file, opened in self._opened:
            try:
                found = _identity(os.stat(file))
            except (FileNotFoundError, NotADirectoryError):
                return f"{file} was deleted or moved"
            except OSError as error:
                raise StorageLost(trouble(error, Path(file))) from error
            if found != opened:
                return f"{file} was replaced by another file"
        return None


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


class FileGuard:
    """Checks the files of one open database.

    Attributes:
        lost: why nothing is written now; None while all files are in place.
        saved: the file in which the open database was saved after its files were lost.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files = OpenFiles(path)
        self.lost: str | None = None
        self.saved: Path | None = None
        self._stopped, self._finished = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def check(self) -> None:
        """Check the files. Call this before each acknowledgement. Raises StorageLost."""
        if self.lost is None:
            self.lost = self._files.lost()
        self.refuse()

    def refuse(self) -> None:
        """Raises StorageLost: the last check found lost files. Call this before each write."""
        if self.lost is not None:
            raise StorageLost(self.lost)

    def watch(self, on_rescued: OnRescued) -> None:
        """Start to check the files every second, and save the open database when its files are lost.

        Args:
            on_rescued: called from another thread, once, when the saved file is synced.
        """
        connection = open_file(self._path)
        connection.execute("PRAGMA query_only=ON")
        # The first read opens the side files. The connection can read from them even after they are renamed or deleted.
        connection.execute("SELECT name FROM sqlite_master LIMIT 1").fetchall()
        arguments = (connection, on_rescued)
        self._thread = threading.Thread(target=self._run, args=arguments, name="database files", daemon=True)
        self._thread.start()

    def _run(self, connection: sqlite3.Connection, on_rescued: OnRescued) -> None:
        while not self._stopped.wait(LOOK_EVERY_SECONDS if self.lost is None else RETRY_EVERY_SECONDS):
            if self._look() and self._rescue(connection):
                on_rescued(StorageLost(self._explanation()))
                break
        if self.saved is None and self._look():
            self._rescue(connection)
        if self.lost is None:
            connection.close()
        self._finished.set()
        if self.lost is not None:
            # Closing the last connection deletes the log by its name, which may now belong to another database. So this
            # connection stays open until the process ends.
            threading.Event().wait()

    def _look(self) -> bool:
        """Return whether files are lost. If they are back before the database was saved, writing continues."""
        if self.saved is not None:
            return True
        try:
            lost = self._files.lost()
        except StorageLost as error:
            log.warning("the database files cannot be checked: %s", error)
            return self.lost is not None
        if lost != self.lost:
            log.critical("database files: %s", f"{lost}; nothing is written" if lost else "the database files are back")
        self.lost = lost
        return lost is not None

    def _rescue(self, connection: sqlite3.Connection) -> bool:
        at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        target = rescue_folder(self._path) / f"{self._path.name}{RESCUED}{at}"
        try:
            with beside(target) as (file, part):
                copy_database(connection, part)
                os.fsync(file.fileno())
                part.rename(target)
                sync(target.parent)
        except (OSError, sqlite3.Error) as error:
            log.critical("the open database could not be saved; the server will retry: %s", trouble(error, target))
            return False
        self.saved = target
        log.critical("the open database is saved in %s", target)
        return True

    def _explanation(self) -> str:
        saved, path = shlex.quote(str(self.saved)), shlex.quote(str(self._path))
        lost = f"{self.lost} while the server ran"
        return f"{lost}. Everything that was acknowledged is saved in {saved}. Put it back with `mv {saved} {path}`."

    def stop(self) -> None:
        """Stop checking. If files are lost and the database is not saved yet, try once more."""
        self._stopped.set()
        if self._thread is not None:
            self._finished.wait(STOP_SECONDS)


def rescue_folder(path: Path) -> Path:
    """Return the database's own folder, created again if it is gone, or else the nearest folder above it."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return next(folder for folder in path.absolute().parents if folder.is_dir())
    return path.parent


def rescued(path: Path) -> list[Path]:
    """Return the databases that were saved next to `path`, the newest last."""
    return sorted(file for file in path.parent.glob("*") if file.name.startswith(f"{path.name}{RESCUED}"))
