"""The server's secrets: made on the first start, kept in the data folder, readable by its owner alone.

A file, once there, is never made again; a second process that starts at the same time takes the first one's.
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
    """What this server keeps to itself.

    Attributes:
        signing: signs access tokens; the keys of refresh tokens are derived from it.
        setup_token: good for the first sign-up, once.
    """

    signing: bytes
    setup_token: str

    @property
    def server_id(self) -> str:
        """Eight characters that identify this server; nodes with the same secret have the same id. It does not reveal
        the secret."""
        return hmac.digest(self.signing, b"fechatter server id", hashlib.sha256).hex()[:8]

    def is_setup_token(self, token: str) -> bool:
        """In constant time."""
        return hmac.compare_digest(self.setup_token.encode(), token.encode())

    def __repr__(self) -> str:
        return "Secrets(********)"


def open_secrets(settings: Settings) -> Secrets:
    """Read the secrets, and make those that are missing. Raises StartError."""
    folder = settings.data_dir / FOLDER
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        remove_dead(folder)
        signing = settings.jwt_secret or _kept(folder / "jwt_secret")
        setup_token = _kept(folder / "setup_token")
    except OSError as error:
        raise StartError(trouble(error, folder)) from error
    return Secrets(signing.encode(), setup_token)


def _kept(path: Path) -> str:
    if not path.exists():
        _make(path)
    path.chmod(0o600)
    text = path.read_text(encoding="utf-8").strip()
    if len(text.encode()) < SECRET_BYTES:
        raise StartError(f"{path} is too short to be a secret; remove it, and the next start makes a new one.")
    return text


def _make(path: Path) -> None:
    """Written whole beside its place, then linked there, so that nobody ever reads half of it."""
    with beside(path) as (file, part):
        file.write(secrets.token_urlsafe(SECRET_BYTES).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
        try:
            os.link(part, path)
        except FileExistsError:
            return  # another process was first; its secret is the one
        sync(path.parent)
