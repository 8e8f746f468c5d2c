"""Locks the data folder, so that only one server process uses it at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fechatter.disk.drafts import sync
from fechatter.disk.troubles import trouble
from fechatter.errors import StartError


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Lock the data folder for this process; create it if it is missing. Raises StartError."""
    make_folder(folder)
    try:
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StartError(trouble(error, folder)) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise StartError(
            f"The data folder {folder} is in use by another server; stop it, or set FECHATTER_DATA_DIR."
        ) from error
    try:
        yield
    finally:
        os.close(lock)


def make_folder(folder: Path) -> None:
    """Create the data folder if it is missing. Raises StartError."""
    try:
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync(folder.parent)
    except OSError as error:
        raise StartError(trouble(error, folder)) from error


def in_use(folder: Path) -> bool:
    """Return whether a server uses this data folder. Raises OSError: the lock file cannot be read."""
    try:
        lock = os.open(folder / "lock", os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
