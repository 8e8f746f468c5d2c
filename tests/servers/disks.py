"""File systems for one test. The test can make them read-only, fill them or cut their power.

They need permission to mount. Without it, `needs_mounts` skips the test and the summary of the run lists it.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

UNPROVED: Final = "this machine does not allow mounts"
"""The reason of a skipped test. `conftest.py` lists these tests at the end of each run."""
SHUTDOWN: Final = 0x8004587D
"""FS_IOC_SHUTDOWN: `_IOR('X', 125, __u32)` of the kernel's headers."""
NO_LOG_FLUSH: Final = 2
DISK_BYTES: Final = 512 * 1024 * 1024


class LoopDisk:
    """An ext4 file system in a file, mounted at `place`. Only synced data survives `cut`."""

    def __init__(self, folder: Path | None = None, size_bytes: int = DISK_BYTES) -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="fechatter-disk-"))
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o755)
        self._image = self.folder / "image"
        self.place = self.folder / "disk"
        self.place.mkdir()
        with self._image.open("wb") as image:
            image.truncate(size_bytes)
        _run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(self._image))
        self.mount()

    def mount(self) -> None:
        # A short commit interval (5 s by default) would sync data that the server has not synced.
        _run("mount", "-o", "loop,commit=60", str(self._image), str(self.place))

    def cut(self) -> None:
        """Stop the file system at once, as a power cut would. All unsynced data is lost, including its journal."""
        descriptor = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(descriptor)

    def sync(self) -> None:
        """Write everything, so that a cut cannot lose the state that a test prepared."""
        _run("sync", "--file-system", str(self.place))

    def unmount(self) -> None:
        _run("umount", str(self.place))

    def remove(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.place)], capture_output=True, check=False)
        shutil.rmtree(self.folder)


@contextmanager
def read_only(folder: Path, place: Path) -> Iterator[Path]:
    """Mount the folder again at `place`, read-only."""
    place.mkdir()
    _run("mount", "--bind", str(folder), str(place))
    try:
        _run("mount", "-o", "remount,ro,bind", str(place))
        yield place
    finally:
        _run("umount", "--lazy", str(place))


@functools.cache
def can_mount() -> bool:
    """Return whether this machine lets the tests mount a file system and cut its power."""
    try:
        disk = LoopDisk(size_bytes=16 * 1024 * 1024)
    except (OSError, subprocess.CalledProcessError):
        return False
    try:
        disk.cut()
    except OSError:
        return False
    finally:
        disk.remove()
    return True


def fill_disk(folder: Path) -> None:
    """Fill the folder's disk completely."""
    for piece in (1 << 20, 1 << 12, 1):
        with contextlib.suppress(OSError), (folder / f"filler {piece}").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(piece))


def _run(*command: str) -> None:
    subprocess.run(command, capture_output=True, check=True, timeout=60)
