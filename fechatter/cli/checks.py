"""What `fechatter doctor` looks at: one function a subject, each with the remedy for what it may find. Here the
machine's own.
"""

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
from fechatter.cli.findings import CLOCK_SECONDS, Finding, seconds_apart, standing, unusable
from fechatter.disk.troubles import check_exists, is_of_storage, unwritable
from fechatter.process.open_files import FEWEST_CONNECTIONS, RESERVED_FILES
from fechatter.settings import Settings

FREE_BYTES = 1 << 30
WANTED_CONNECTIONS = 2048  # each live stream is one
SYNC_TRIES = 5
SLOW_SYNC_SECONDS = 0.1
MEMORY_SYNC_SECONDS = 20e-6


def python(settings: Settings) -> Finding:
    """The interpreter is one that the server runs on."""
    good = sys.version_info >= (3, 11)
    return Finding("python", good, platform.python_version(), "Install Python 3.11 or later.")


def native(settings: Settings) -> Finding:
    """The native extension loads, fits the sources and is a release build."""
    try:
        from fechatter.native import BUILD
    except ImportError as error:
        return Finding("native extension", False, str(error), "Run `make setup`, or install the wheel again.")
    return Finding("native extension", BUILD == "release", f"{BUILD} build", "Run `make setup`: it builds for release.")


def data_folder(settings: Settings) -> Finding:
    """The data folder, or the folder it will be made in, can be written; others cannot read it."""
    folder = settings.data_dir
    check_exists(folder)
    there = standing(folder)
    if not there.is_dir():
        return Finding("data folder", False, f"{there} is not a folder", "Name a folder in data_dir.")
    if (refused := unwritable(there)) is not None:
        return unusable("data folder", refused, there)
    if there != folder:
        return Finding("data folder", True, f"{folder} will be made at the first start")
    private = folder.stat().st_mode & 0o007 == 0
    return Finding("data folder", private, str(folder) if private else f"{folder} is open to others", f"chmod 700 {folder}")


def secrets(settings: Settings) -> Finding:
    """What holds secrets is read by its owner alone, and that is who runs the server."""
    folder = settings.data_dir
    for path in [folder / "secrets", *sorted((folder / "secrets").glob("*")), *sorted(folder.glob("fechatter.db*"))]:
        if not path.exists():
            continue
        found = path.stat()
        if found.st_mode & 0o077:
            remedy = f"chmod {'700' if path.is_dir() else '600'} {path}"
            return Finding("secrets", False, f"{path} is open to others ({found.st_mode & 0o777:o})", remedy)
        if found.st_uid != os.geteuid():
            remedy = f"Run this as that user, or chown {path} to user {os.geteuid()}."
            return Finding("secrets", False, f"{path} belongs to user {found.st_uid}", remedy)
    return Finding("secrets", True, "readable by their owner alone")


def disk(settings: Settings) -> Finding:
    """The disk of the data folder has room."""
    free = shutil.disk_usage(standing(settings.data_dir)).free
    state = f"{free / (1 << 30):.1f} GiB free"
    return Finding("disk", free >= FREE_BYTES, state, "Free at least 1 GiB, or move data_dir to another disk.")


def syncing(settings: Settings) -> Finding:
    """The disk syncs, soon enough: each commit waits for it."""
    subject, folder = "disk sync", standing(settings.data_dir)
    try:
        seconds = sync_seconds(folder)
    except OSError as error:
        if is_of_storage(error):
            return unusable(subject, OSError(error.errno, error.strerror), folder)
        return Finding(subject, False, f"{folder}: {error.strerror}", "Move data_dir to a local disk that can sync.")
    if seconds < MEMORY_SYNC_SECONDS:
        return Finding(subject, True, f"{seconds * 1e6:.0f} µs: so soon that it may be memory, which a power cut empties")
    good = seconds < SLOW_SYNC_SECONDS
    return Finding(subject, good, f"{seconds * 1000:.1f} ms", "Move data_dir to a faster disk: every message waits for it.")


def sync_seconds(folder: Path) -> float:
    """The median time of making 4 KiB durable in the folder. Raises OSError."""
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
    """This machine's clock is not before this program was installed, and its disk's clock agrees with it."""
    now = time.time()
    behind = Path(__file__).stat().st_mtime - now
    if behind > CLOCK_SECONDS:
        return Finding("clock", False, f"{behind / 86400:,.1f} days before this program was installed", "Set the clock, by NTP.")
    try:
        with tempfile.TemporaryFile(dir=standing(settings.data_dir)) as file:
            file.write(b"now")
            file.flush()
            apart = seconds_apart(os.fstat(file.fileno()).st_mtime, now, time.time())
    except OSError as error:
        return Finding("clock", False, f"the data folder cannot be written ({error.strerror})", "See the data folder.")
    return Finding("clock", not apart, f"the disk's is {apart:+.1f} s off" if apart else "plausible", "Set both clocks by NTP.")


def open_files(settings: Settings) -> Finding:
    """The process may hold enough connections beside what it needs itself."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        return Finding("open files", True, "no limit")
    reserved = RESERVED_FILES + settings.connection_limit
    connections = most - reserved
    state = f"at most {most}: {max(0, connections)} connections"
    if connections < FEWEST_CONNECTIONS:
        state += ", too few to start"
    return Finding("open files", connections >= WANTED_CONNECTIONS, state, f"Raise it: ulimit -Hn {WANTED_CONNECTIONS + reserved}")


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
"""The server listens already, and the others read much."""
