"""A real PgBouncer in front of PostgreSQL, from Debian's package `pgbouncer`, which `.ci/run` installs."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.servers.postgres import OWNER, Postgres
from tests.servers.process import ManagedServer, accepts, free_port, wait_until


class PgBouncer(ManagedServer):
    """A pooler with PgBouncer's defaults, except for `settings`, such as `pool_mode="transaction"`."""

    def __init__(self, postgres: Postgres, **settings: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="fechatter-pgbouncer-"))
        self.port = free_port()
        self._log = self.folder / "log"
        own = {"listen_addr": "127.0.0.1", "listen_port": str(self.port), "unix_socket_dir": "", "auth_type": "any"}
        lines = [
            "[databases]",
            f"* = host=127.0.0.1 port={postgres.port} user={OWNER}",
            "[pgbouncer]",
            *(f"{name} = {value}" for name, value in {**own, **settings}.items()),
        ]
        (self.folder / "pgbouncer.ini").write_text("\n".join(lines) + "\n")

    def start(self) -> None:
        """Start the pooler and return when it accepts connections."""
        binary = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
        if binary is None:
            raise RuntimeError("PgBouncer is missing: apt-get install pgbouncer")
        user: dict[str, Any] = {}
        if os.geteuid() == 0:  # PgBouncer refuses to run as root.
            nobody = pwd.getpwnam("nobody")
            user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            shutil.chown(self.folder, nobody.pw_uid)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [binary, self.folder / "pgbouncer.ini"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
                **user,
            )
        wait_until(lambda: accepts(self.port), self._process, self._log)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, such as SIGSTOP to make the pooler unresponsive."""
        if self._process is not None:
            self._process.send_signal(number)

    def url(self, postgres_url: str) -> str:
        """Return the address of the same database through this pooler."""
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/{postgres_url.rpartition('/')[2]}"
