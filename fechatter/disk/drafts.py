"""Files that appear complete or not at all: each is written under a temporary name, synced and renamed.

Only the owner can read a draft. Its writer holds a lock on it (flock). A draft without a lock was left by a process
that died, and the next writer in that folder removes it. Process ids are not used, because they repeat in containers.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from fechatter.disk.troubles import trouble
from fechatter.errors import StartError

PREFIX: Final = ".fechatter-"
ENDING: Final = ".part"


def check_new(path: Path) -> None:
    """Check that nothing exists at the path. Raises StartError."""
    with _explained(path):
        there = path.exists() or path.is_symlink()
    if there:
        raise StartError(f"{path} already exists; choose another name, or move the existing file.")


def check_space(folder: Path, wanted_bytes: int) -> None:
    """Check that the disk of the folder has `wanted_bytes` of free space. Raises StartError."""
    with _explained(folder):
        free = shutil.disk_usage(folder).free
    if free < wanted_bytes:
        wanted = f"up to {_megabytes(wanted_bytes)} may be needed"
        raise StartError(f"{folder} has {_megabytes(free)} free, and {wanted}; free disk space first.")


@contextmanager
def draft(path: Path) -> Iterator[IO[bytes]]:
    """Open a draft of a new file. If the block succeeds, sync the draft and rename it to `path`. Raises StartError."""
    check_new(path)
    with _explained(path), beside(path) as (file, part):
        yield file
        file.flush()
        os.fsync(file.fileno())
        check_new(path)
        part.rename(path)
        sync(path.parent)


@contextmanager
def beside(path: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """Open an empty, locked file in the folder of `path`. It is removed at the end unless it was renamed.

    Raises:
        OSError: the file cannot be created.
    """
    remove_dead(path.parent)
    file, part = _begin(path.parent)
    with file:
        try:
            yield file, part
        finally:
            part.unlink(missing_ok=True)


def _begin(folder: Path) -> tuple[IO[bytes], Path]:
    while True:
        part = folder / f"{PREFIX}{secrets.token_hex(8)}{ENDING}"
        file = os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")
        # Before the file was locked, another writer may have removed it as a dead draft.
        if lock(file.fileno()) is not False and os.fstat(file.fileno()).st_nlink:
            return file, part
        file.close()


def remove_dead(folder: Path) -> None:
    """Remove the drafts that processes left when they died."""
    for part in folder.glob(f"{PREFIX}*{ENDING}"):
        try:
            descriptor = os.open(part, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:
            continue  # finished meanwhile, or owned by another user
        try:
            if lock(descriptor):
                part.unlink(missing_ok=True)
        finally:
            os.close(descriptor)


def lock(descriptor: int) -> bool | None:
    """Lock an open file until it is closed.

    Returns:
        False if another process holds the lock, None if the file system has no locks.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None  # on some network file systems; no draft is removed there
    return True


def sync(path: Path) -> None:
    """Make a file's contents, or a folder's entries, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StartError(f"{trouble(error, path)} Nothing was written.") from error


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"
