"""The server's secrets: created at the first start and stored in the data folder. Only the files' owner can read them.

An existing file is never replaced. If two processes start at the same time, both use the file of the first.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import msgspec

from fechatter.disk.drafts import beside, remove_dead, sync
from fechatter.disk.troubles import trouble
from fechatter.errors import StartError
from fechatter.settings import Settings

FOLDER = "secrets"
SECRET_BYTES = 32


class Secrets(msgspec.Struct, frozen=True):
    """The secrets of this server.

    Attributes:
        signing: signs access tokens; the key of refresh tokens is derived from it.
        setup_token: allows the first sign-up, once.
    """

    signing: bytes
    setup_token: str

    @property
    def server_id(self) -> str:
        """Eight characters that identify this server and all nodes with the same secret, without revealing the
        secret."""
        return hmac.digest(self.signing, b"fechatter server id", hashlib.sha256).hex()[:8]

    def is_setup_token(self, token: str) -> bool:
        """Return whether `token` is the set-up token. Takes constant time."""
        return hmac.compare_digest(self.setup_token.encode(), token.encode())

    def __repr__(self) -> str:
        return "Secrets(********)"


def open_secrets(settings: Settings) -> Secrets:
    """Read the secrets and create the missing ones. Raises StartError."""
    folder = settings.data_dir / FOLDER
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        remove_dead(folder)
        signing = settings.jwt_secret or _read_or_create(folder / "jwt_secret")
        setup_token = _read_or_create(folder / "setup_token")
    except OSError as error:
        raise StartError(trouble(error, folder)) from error
    return Secrets(signing.encode(), setup_token)


def _read_or_create(path: Path) -> str:
    if not path.exists():
        _create(path)
    path.chmod(0o600)
    text = path.read_text(encoding="utf-8").strip()
    if len(text.encode()) < SECRET_BYTES:
        raise StartError(f"{path} is too short for a secret. Remove it; the next start creates a new one.")
    return text


def _create(path: Path) -> None:
    """Write a complete draft and link it to its place, so that no process ever reads half of the file."""
    with beside(path) as (file, part):
        file.write(secrets.token_urlsafe(SECRET_BYTES).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
        try:
            os.link(part, path)
        except FileExistsError:
            return  # another process was first; its secret is used
        sync(path.parent)
