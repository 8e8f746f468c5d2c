"""The checks of `fechatter doctor`: one function per subject, with a remedy for each problem. Here: the machine."""

import os
import platform
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from fechatter.cli import checks_database, checks_names, checks_network
from fechatter.cli.findings import CLOCK_SECONDS, Finding, nearest_existing, seconds_apart, unusable
from fechatter.disk.troubles import check_exists, is_of_storage, unwritable
from fechatter.process.open_files import MIN_CONNECTIONS, RESERVED_FILES
from fechatter.settings import Settings

FREE_BYTES = 1 << 30
WANTED_CONNECTIONS = 2048  # each live stream needs one
SYNC_TRIES = 5
SLOW_SYNC_SECONDS = 0.1
MEMORY_SYNC_SECONDS = 20e-6


def python(settings: Settings) -> Finding:
    """Check that the server supports this interpreter."""
    good = sys.version_info >= (3, 11)
    return Finding("python", good, platform.python_version(), "Install Python 3.11 or later.")


def native(settings: Settings) -> Finding:
    """Check that the native extension loads, matches the sources and is a release build."""
    try:
        from fechatter.native import BUILD
    except ImportError as error:
        return Finding("native extension", False, str(error), "Run `make setup`, or install the wheel again.")
    return Finding(
        "native extension", BUILD == "release", f"{BUILD} build", "Run `make setup`, which makes a release build."
    )


def data_folder(settings: Settings) -> Finding:
    """Check that the data folder, or its future parent, is writable, and that other users cannot read it."""
    folder = settings.data_dir
    check_exists(folder)
    there = nearest_existing(folder)
    if not there.is_dir():
        return Finding("data folder", False, f"{there} is not a folder", "Set data_dir to a folder.")
    if (refused := unwritable(there)) is not None:
        return unusable("data folder", refused, there)
    if there != folder:
        return Finding("data folder", True, f"the first start will create {folder}")
    private = folder.stat().st_mode & 0o007 == 0
    return Finding(
        "data folder", private, str(folder) if private else f"other users can read {folder}", f"chmod 700 {folder}"
    )


def secrets(settings: Settings) -> Finding:
    """Check that files with secrets belong to the owner of the data folder, and that nobody else can read them."""
    folder = settings.data_dir
    paths = [folder / "secrets", *sorted((folder / "secrets").glob("*")), *sorted(folder.glob("fechatter.db*"))]
    paths = [path for path in paths if path.exists()]
    if not paths:
        return Finding("secrets", True, "none yet")
    owner = folder.stat().st_uid
    if os.geteuid() not in (0, owner):
        return Finding("secrets", False, f"{folder} belongs to user {owner}", "Run the command as that user.")
    for path in paths:
        found = path.stat()
        if found.st_mode & 0o077:
            remedy = f"chmod {'700' if path.is_dir() else '600'} {path}"
            return Finding("secrets", False, f"other users can read {path} ({found.st_mode & 0o777:o})", remedy)
        if found.st_uid != owner:
            remedy = f"As root: chown {owner} {path}"
            return Finding("secrets", False, f"{path} belongs to user {found.st_uid}, its folder to {owner}", remedy)
    return Finding("secrets", True, "readable only by their owner")


def disk(settings: Settings) -> Finding:
    """Check that the disk of the data folder has free space."""
    free = shutil.disk_usage(nearest_existing(settings.data_dir)).free
    state = f"{free / (1 << 30):.1f} GiB free"
    return Finding("disk", free >= FREE_BYTES, state, "Free at least 1 GiB, or move data_dir to another disk.")


def syncing(settings: Settings) -> Finding:
    """Check that the disk syncs fast enough, because each commit waits for it."""
    subject, folder = "disk sync", nearest_existing(settings.data_dir)
    try:
        seconds = sync_seconds(folder)
    except OSError as error:
        if is_of_storage(error):
            return unusable(subject, OSError(error.errno, error.strerror), folder)
        return Finding(subject, False, f"{folder}: {error.strerror}", "Move data_dir to a local disk that can sync.")
    if seconds < MEMORY_SYNC_SECONDS:
        return Finding(
            subject,
            True,
            f"{seconds * 1e6:.0f} µs: so fast that the disk may be memory, which loses its data in a power cut",
        )
    good = seconds < SLOW_SYNC_SECONDS
    return Finding(
        subject, good, f"{seconds * 1000:.1f} ms", "Move data_dir to a faster disk; every message waits for it."
    )


def sync_seconds(folder: Path) -> float:
    """Return the median time to make 4 KiB durable in the folder. Raises OSError."""
    taken = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(SYNC_TRIES):
            file.write(bytes(4096))
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - began)
    return sorted(taken)[SYNC_TRIES // 2]


def clock(settings: Settings) -> Finding:
    """Check that the clock is not before the installation of this program, and agrees with the disk's clock."""
    now = time.time()
    behind = Path(__file__).stat().st_mtime - now
    if behind > CLOCK_SECONDS:
        return Finding(
            "clock", False, f"{behind / 86400:,.1f} days before this program was installed", "Set the clock with NTP."
        )
    try:
        with tempfile.TemporaryFile(dir=nearest_existing(settings.data_dir)) as file:
            file.write(b"now")
            file.flush()
            apart = seconds_apart(os.fstat(file.fileno()).st_mtime, now, time.time())
    except OSError as error:
        return Finding(
            "clock", False, f"the data folder cannot be written ({error.strerror})", "See the check of the data folder."
        )
    return Finding(
        "clock",
        not apart,
        f"the disk's clock differs by {apart:+.1f} s" if apart else "plausible",
        "Set both clocks with NTP.",
    )


def open_files(settings: Settings) -> Finding:
    """Check that the process can have enough connections in addition to its own files."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        return Finding("open files", True, "no limit")
    reserved = RESERVED_FILES + settings.connection_limit
    connections = most - reserved
    state = f"at most {most}, for {max(0, connections)} connections"
    if connections < MIN_CONNECTIONS:
        state += ", too few to start"
    return Finding(
        "open files",
        connections >= WANTED_CONNECTIONS,
        state,
        f"Raise the limit: ulimit -Hn {WANTED_CONNECTIONS + reserved}",
    )


ALL: tuple[Callable[[Settings], Finding], ...] = (
    python,
    native,
    data_folder,
    secrets,
    disk,
    syncing,
    clock,
    open_files,
    checks_network.port,
    checks_network.public_address,
    checks_network.certificate,
    checks_database.database,
    checks_database.database_settings,
    checks_database.integrity,
    checks_database.database_clock,
    checks_names.names,
    checks_network.nats,
    checks_network.nats_access,
)
NOT_WHILE_SERVING = (checks_network.port, checks_database.integrity, checks_names.names)
"""Checks that a running server skips: the server listens on the port itself, and the others read much data."""
