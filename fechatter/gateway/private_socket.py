"""The Unix socket between the gateway and Granian. Only this process can reach it."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fechatter.errors import StartError

FOLDER = "run"
NAME = "app.sock"
MAX_PATH_BYTES = 100
"""Linux allows 107 bytes, and macOS 103."""


@contextmanager
def private_socket(data_dir: Path) -> Iterator[socket.socket]:
    """Return a socket that is bound but does not listen yet, in a folder that only this user can enter.

    The folder is in the data folder, or a temporary one if that path is too long.

    Raises:
        StartError: the socket cannot be created.
    """
    held = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    folder: Path | None = None
    try:
        folder = _folder(data_dir.absolute())
        held.bind(str(folder / NAME))
        (folder / NAME).chmod(0o600)
    except OSError as error:
        held.close()
        where = folder or data_dir / FOLDER
        raise StartError(f"The socket {where / NAME} cannot be created: {error.strerror}.") from error
    try:
        yield held
    finally:
        held.close()
        shutil.rmtree(folder, ignore_errors=True)


def _folder(data_dir: Path) -> Path:
    folder = data_dir / FOLDER
    if len(bytes(folder / NAME)) > MAX_PATH_BYTES:
        return Path(tempfile.mkdtemp(prefix="fechatter-"))
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    # A server that was killed leaves its socket behind.
    (folder / NAME).unlink(missing_ok=True)
    return folder
