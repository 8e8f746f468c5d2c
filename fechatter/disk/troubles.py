"""Messages for file, folder and disk errors: cause and remedy in one line.

These remedies never destroy data. Only `fechatter doctor` suggests a destructive step, and only if it has proved
damage.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from pathlib import Path
from typing import Final

FULL_BYTES: Final = 64 * 1024
"""SQLite needs this much free space for its side files."""

_NO_SPACE: Final = "free space on its disk"
_READ_ONLY: Final = "mount its file system writable, or use another folder"
_SYSTEM: Final = {
    errno.EROFS: ("", _READ_ONLY),
    errno.ENOSPC: ("", _NO_SPACE),
    errno.EDQUOT: ("", _NO_SPACE),
    errno.EFBIG: ("", "raise the limit for file sizes (ulimit -f)"),
    errno.EISDIR: ("it is a folder", "name a file"),
    errno.ENOTDIR: ("a part of the path is a file", "name a folder"),
    errno.EEXIST: ("it is a file", "name a folder"),
    errno.ENOENT: ("", "create its folder first, or choose another path"),
    errno.ENAMETOOLONG: ("", "use a shorter name"),
    errno.ELOOP: ("", "its symbolic links form a loop; name the file itself"),
    errno.EIO: ("", "check the disk (dmesg)"),
}
"""Cause (empty if the system's message names it) and remedy."""
_SQLITE: Final = {
    sqlite3.SQLITE_NOTADB: ("it is not a database", "name the right file in database_url"),
    sqlite3.SQLITE_CORRUPT: ("its contents are damaged", "stop the server and run `fechatter doctor`"),
    sqlite3.SQLITE_FULL: ("the disk is full", _NO_SPACE),
    sqlite3.SQLITE_READONLY: ("it is read-only", _READ_ONLY),
    sqlite3.SQLITE_BUSY: ("another program has locked it", "end that program, or wait for it"),
    sqlite3.SQLITE_LOCKED: ("another program has locked it", "end that program, or wait for it"),
    sqlite3.SQLITE_NOLFS: ("the file system does not support a file of this size", "use another file system"),
}
_CAUSE_UNKNOWN: Final = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR)
"""For these codes SQLite does not report the system's reason."""


def trouble(error: OSError | sqlite3.Error, path: Path) -> str:
    """Return cause and remedy in one line for an error that concerns `path`, or the file that the error names."""
    state, remedy = explained(error, path)
    return f"{state}; {remedy}."


def explained(error: OSError | sqlite3.Error, path: Path) -> tuple[str, str]:
    """Return what cannot be used and why, and the remedy."""
    named = getattr(error, "filename", None)
    where = Path(os.fsdecode(named)) if isinstance(named, str | bytes) else path
    cause, remedy = _of_system(error, where) if isinstance(error, OSError) else _of_sqlite(error, where)
    return f"{where} cannot be used ({cause})", remedy


def is_of_storage(error: OSError | sqlite3.Error) -> bool:
    """Whether a disk or a database file caused the error, not a connection or this program."""
    if isinstance(error, sqlite3.Error):
        return _code(error) in _SQLITE or _code(error) in _CAUSE_UNKNOWN
    return error.errno in _SYSTEM or error.errno in (errno.EACCES, errno.EPERM)


def _code(error: sqlite3.Error) -> int:
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def _of_system(error: OSError, path: Path) -> tuple[str, str]:
    cause = error.strerror or str(error) or type(error).__name__
    if error.errno in (errno.ENOENT, errno.EEXIST) and os.path.islink(path) and not os.path.exists(path):
        remedy = "mount or restore that first, or remove the link"
        return f"it is a link to {os.readlink(path)}, which does not exist", remedy
    if error.errno in (errno.EACCES, errno.EPERM):
        return cause, f"let user {os.geteuid()} write there, with chown or chmod"
    better, remedy = _SYSTEM.get(error.errno or 0, ("", "check the path and the disk"))
    return better or cause, remedy


def _of_sqlite(error: sqlite3.Error, path: Path) -> tuple[str, str]:
    code = _code(error)
    if code in _CAUSE_UNKNOWN:
        refused = _refused_by_system(path)
        if refused is not None:
            return _of_system(refused, path)
    if code == sqlite3.SQLITE_IOERR:
        return f"{error}, {error.sqlite_errorname}", "check the disk (dmesg)"
    return _SQLITE.get(code, (str(error), "check the path and the disk"))


def _refused_by_system(path: Path) -> OSError | None:
    """Return the system's reason why SQLite cannot use the file, which SQLite itself does not report."""
    try:
        path.stat()
        if path.is_dir():
            return _error(errno.EISDIR)
        return unwritable(path.parent) or unwritable(path)
    except OSError as error:
        return error


def unwritable(path: Path) -> OSError | None:
    """Return why this existing file or folder cannot be written; None if it can."""
    if not os.access(path, os.W_OK):
        return _error(errno.EROFS if os.statvfs(path).f_flag & os.ST_RDONLY else errno.EACCES)
    return _error(errno.ENOSPC) if shutil.disk_usage(path).free < FULL_BYTES else None


def check_exists(path: Path) -> None:
    """Check that a file exists or can be created at the path.

    Raises:
        OSError: the path is a dangling link, or no file can exist there.
    """
    try:
        path.stat()
    except FileNotFoundError as error:
        for part in (path, *path.parents):
            if os.path.islink(part) and not os.path.exists(part):
                raise FileNotFoundError(error.errno, error.strerror, str(part)) from error


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))
