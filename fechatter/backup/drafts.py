"""A file that appears whole or not at all: written beside its place under another name, synced, renamed. For its owner alone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from fechatter.errors import StartError


def check_new(path: Path) -> None:
    """Raises StartError: there is something already."""
    with _unusable(path):
        there = path.exists() or path.is_symlink()
    if there:
        raise StartError(f"{path} is there already; name another file, or move it away.")


def check_room(folder: Path, wanted_bytes: int) -> None:
    """Raises StartError: the disk has less room."""
    with _unusable(folder):
        free = shutil.disk_usage(folder).free
    if free < wanted_bytes:
        raise StartError(f"{folder} has {_megabytes(free)} free, and up to {_megabytes(wanted_bytes)} may be needed; make room first.")


@contextmanager
def draft(path: Path) -> Iterator[IO[bytes]]:
    """A new file, in place when the block ends well. Raises StartError."""
    check_new(path)
    beside = path.with_name(f".{os.getpid()}.part")
    with _unusable(path):
        opened = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(opened, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        check_new(path)
        beside.rename(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise StartError(f"{path} cannot be written ({error.strerror}).") from error
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def _unusable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StartError(f"{path} cannot be used ({error.strerror}).") from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"
