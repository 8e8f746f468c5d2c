"""A PostgreSQL whose data can be replaced by an older copy."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.servers.postgres import Postgres


class RestorablePostgres(Postgres):
    """A PostgreSQL that can continue from an older copy of its data, on the same port."""

    def _is_ready(self) -> bool:
        lines = (
            (self.data / "postmaster.pid").read_text().splitlines() if (self.data / "postmaster.pid").exists() else []
        )
        return (
            self._process is not None
            and lines[:1] == [str(self._process.pid)]
            and lines[7:] in (["ready   "], ["standby "])
        )

    def copy(self) -> Path:
        """Return a copy of the cluster, streamed from the running server."""
        self._run("pg_basebackup", "--dbname", self.url(), "-D", str(self.folder / "copy"), "-c", "fast")
        return self.folder / "copy"

    def install(self, copy: Path) -> None:
        """Replace the stopped server's data by the copy."""
        shutil.rmtree(self.data)
        copy.rename(self.data)

    def fail_over(self, copy: Path) -> None:
        """Kill the server and promote the copy, a lagging standby, in its place."""
        self.kill()
        self.install(copy)
        (self.data / "standby.signal").touch()
        if self._as_user:
            shutil.chown(self.data / "standby.signal", self._as_user["user"])
        self.start()
        self._run("pg_ctl", "promote", "-D", str(self.data))

    def roll_back(self, copy: Path) -> None:
        self.stop()
        self.install(copy)
        self.start()

    def dump(self, url: str) -> Path:
        path = self.folder / "dump"
        self._run("pg_dump", "--dbname", url, "--file", str(path))
        return path

    def restore(self, url: str, dump: Path) -> None:
        name = url.rpartition("/")[2]
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "fechatter"]
        self._run("dropdb", "--force", *where, name)
        self._run("createdb", *where, name)
        self._run("psql", "--quiet", "--single-transaction", "--dbname", url, "--file", str(dump))
