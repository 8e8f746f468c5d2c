"""nchan in Debian's nginx, for a comparison. The packages are unpacked into `target/nchan`, and not installed."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

from fechatter.errors import StartError

ROOT = Path(__file__).parents[1]
PLACE = ROOT / "target" / "nchan"
PACKAGES = ("nginx", "libnginx-mod-nchan")
DEFAULT_FOLDER = Path("/var/lib/nginx")
"""The module creates a folder in it, whatever the configuration contains."""
START_SECONDS = 10.0
CONFIGURATION = """
daemon off;
pid {folder}/pid;
error_log {folder}/errors warn;
worker_processes {workers};
worker_rlimit_nofile {files};
load_module {module};
events {{ worker_connections {files}; use epoll; multi_accept on; }}
http {{
  access_log off;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  nchan_shared_memory_size 256M;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = /publish {{
      nchan_publisher;
      nchan_channel_id load;
      nchan_message_buffer_length 256;
      nchan_message_timeout 1m;
    }}
    location = /listen {{
      nchan_subscriber eventsource;
      nchan_channel_id load;
      nchan_subscriber_first_message newest;
    }}
  }}
}}
"""
"""Messages in memory only, no access log, and no limit of requests per connection, so that nothing slows nchan down."""


def binaries() -> tuple[Path, Path]:
    """Return nginx and the module, after downloading the packages if they are not there. Raises StartError."""
    PLACE.mkdir(parents=True, exist_ok=True)
    nginx = PLACE / "root/usr/sbin/nginx"
    module = PLACE / "root/usr/lib/nginx/modules/ngx_nchan_module.so"
    if not (nginx.exists() and module.exists()):
        try:
            subprocess.run(["apt-get", "download", *PACKAGES], cwd=PLACE, check=True, capture_output=True)
            for package in PLACE.glob("*.deb"):
                subprocess.run(["dpkg", "-x", package, PLACE / "root"], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise StartError(f"nchan could not be downloaded; it needs Debian or Ubuntu. {error}") from error
    try:
        DEFAULT_FOLDER.mkdir(exist_ok=True)
    except OSError as error:
        raise StartError(f"nginx needs the folder {DEFAULT_FOLDER}: run `sudo mkdir {DEFAULT_FOLDER}`.") from error
    return nginx, module


def versions() -> str:
    """Return the names of the packages, which contain their versions."""
    return ", ".join(sorted(package.stem.replace("%3a", ":") for package in PLACE.glob("*.deb")))


class Nchan:
    """One nginx with nchan and one channel. Use it as a context manager.

    Attributes:
        port: where it listens.
    """

    def __init__(self, workers: int, files: int) -> None:
        self._nginx, module = binaries()
        self._folder = Path(tempfile.mkdtemp(prefix="nchan-"))
        self._workers = workers
        self.port = _free_port()
        text = CONFIGURATION.format(folder=self._folder, workers=workers, files=files, module=module, port=self.port)
        (self._folder / "nginx.conf").write_text(text)

    def __enter__(self) -> Nchan:
        command = [self._nginx, "-p", self._folder, "-e", self._folder / "errors", "-c", self._folder / "nginx.conf"]
        self._process = subprocess.Popen(command, start_new_session=True)
        ends = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                if len(self.processes()) == self._workers:
                    return self
                raise OSError("the workers have not started")
            except OSError:
                if time.monotonic() > ends or self._process.poll() is not None:
                    self.__exit__(None, None, None)
                    raise StartError("nginx does not start.") from None
                time.sleep(0.05)

    def processes(self) -> list[int]:
        """Return the ids of the workers."""
        pid = self._process.pid
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
