"""What `fechatter doctor` looks at: one function a subject, each with the remedy for what it may find."""

import asyncio
import errno
import os
import platform
import resource
import shutil
import socket
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from fechatter.errors import StartError
from fechatter.settings import Settings

FREE_BYTES = 1 << 30
OPEN_FILES = 4096  # each live stream holds one
TIMEOUT_SECONDS = 5.0


class Finding(NamedTuple):
    """One line of the report; `remedy` is shown when it is not good."""

    subject: str
    good: bool
    state: str
    remedy: str = ""


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
    standing = _standing(folder)
    if not os.access(standing, os.W_OK | os.X_OK):
        return Finding("data folder", False, f"{standing} cannot be written", f"chown it to {_user()}, or set data_dir.")
    if standing != folder:
        return Finding("data folder", True, f"{folder} will be made at the first start")
    private = folder.stat().st_mode & 0o007 == 0
    return Finding("data folder", private, str(folder) if private else f"{folder} is open to others", f"chmod 700 {folder}")


def disk(settings: Settings) -> Finding:
    """The disk of the data folder has room."""
    free = shutil.disk_usage(_standing(settings.data_dir)).free
    state = f"{free / (1 << 30):.1f} GiB free"
    return Finding("disk", free >= FREE_BYTES, state, "Free at least 1 GiB, or move data_dir to another disk.")


def open_files(settings: Settings) -> Finding:
    """The process may hold enough connections."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = most == resource.RLIM_INFINITY
    good = unlimited or most >= OPEN_FILES
    return Finding("open files", good, "no limit" if unlimited else f"at most {most}", f"Raise it: ulimit -Hn {OPEN_FILES}")


def port(settings: Settings) -> Finding:
    """The address can be listened on, or is by the server of this data folder."""
    subject, where = "address", f"{settings.host}:{settings.port}"
    try:
        family, kind, _, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE and _is_running(settings):
            return Finding(subject, True, f"{where}: the server of this data folder is running")
        return Finding(subject, False, f"{where}: {error.strerror}", "Set host and port, or stop who listens there.")
    return Finding(subject, True, f"{where} is free")


def database(settings: Settings) -> Finding:
    """The database answers and its tables are of this version, or will be after the next start."""
    from fechatter.storage import opening

    engine = "postgres" if opening.is_postgres(settings.database_address) else "sqlite"
    try:
        pending = pending_migrations(settings.database_address)
    except StartError as error:
        return Finding("database", False, str(error), "Name the right database, or start the program that fits it.")
    except (OSError, sqlite3.Error) as error:
        return Finding("database", False, f"{engine} cannot be read: {error}", "Check database_url and its rights.")
    state = f"{pending} migrations to apply at the next start" if pending else "up to date"
    return Finding("database", True, f"{engine}, {state}")


def pending_migrations(address: str) -> int:
    """How many the next start will apply; nothing is written.

    Raises:
        StartError: the database cannot be reached, or it and this program do not fit.
        OSError, sqlite3.Error: the file cannot be read.
    """
    from fechatter.storage import migrate, opening

    if opening.is_postgres(address):
        return len(migrate.pending(migrate.available("postgres"), asyncio.run(_applied_postgres(address))))
    return len(migrate.pending(migrate.available("sqlite"), _applied_sqlite(opening.sqlite_path(address))))


def nats(settings: Settings) -> Finding:
    """Each NATS server that is named takes connections."""
    if settings.nats_url is None:
        return Finding("nats", True, "not used: this is the one process")
    for url in settings.nats_url.split(","):
        parts = urlsplit(url.strip())
        try:
            socket.create_connection((parts.hostname or "", parts.port or 4222), TIMEOUT_SECONDS).close()
        except OSError as error:
            return Finding("nats", False, f"{parts.hostname}: {error}", "Start NATS, or correct nats_url.")
    return Finding("nats", True, "takes connections")


def _standing(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that is there."""
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())


def _is_running(settings: Settings) -> bool:
    """Whether a server holds the data folder; what cannot be read is said by `data_folder`."""
    from fechatter.storage.folder import in_use

    try:
        return in_use(settings.data_dir)
    except OSError:
        return False


def _user() -> str:
    return f"user {os.geteuid()}"


def _applied_sqlite(path: Path) -> dict[str, str | None]:
    """Version and checksum of each migration applied; none when there is no file yet."""
    if not path.exists():
        return {}
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=TIMEOUT_SECONDS)) as connection:
        return dict(connection.execute("SELECT version, checksum FROM schema_migrations").fetchall())


async def _applied_postgres(url: str) -> dict[str, str | None]:
    """Version and checksum of each migration applied; none when the database is empty.

    Raises:
        StartError: the database cannot be reached.
    """
    import asyncpg

    try:
        connection = await asyncpg.connect(url, timeout=TIMEOUT_SECONDS)
        try:
            if not await connection.fetchval("SELECT to_regclass('schema_migrations') IS NOT NULL"):
                return {}
            rows = await connection.fetch("SELECT version, checksum FROM schema_migrations")
            return {row["version"]: row["checksum"] for row in rows}
        finally:
            await connection.close(timeout=TIMEOUT_SECONDS)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StartError(f"it cannot be reached ({error})") from error


ALL: tuple[Callable[[Settings], Finding], ...] = (
    python,
    native,
    data_folder,
    disk,
    open_files,
    port,
    database,
    nats,
)
