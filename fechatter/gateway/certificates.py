"""The gateway's certificates: files that are read at the start, on a reload, and whenever they have changed."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from fechatter.errors import StartError
from fechatter.loops import Loop, LoopState, PartlyFailed
from fechatter.native import Certificates
from fechatter.settings import Settings

log = logging.getLogger(__name__)

CHAIN, KEY = "fullchain.pem", "privkey.pem"
"""The names that certbot uses in the folder of each certificate."""
WATCH_SECONDS = 5.0
SETTLED_SECONDS = 1.0
"""Changed files are used only if they stay the same for this time, because they are not replaced all at once."""


class Pair(NamedTuple):
    """The files of one certificate.

    Attributes:
        chain: PEM file with the certificate and its intermediate certificates.
        key: PEM file with its private key, not encrypted.
    """

    chain: Path
    key: Path


class Found(NamedTuple):
    """The contents of the files when they were read."""

    pairs: list[Pair]
    contents: list[tuple[bytes, bytes]]

    @property
    def digest(self) -> bytes:
        """Identifies the contents, so that no copy of the keys has to be kept."""
        return hashlib.sha256(repr(self.contents).encode()).digest()


class ServedCertificates:
    """The certificates that a gateway serves.

    Attributes:
        native: the same certificates, for the native gateway.

    Raises:
        StartError: they cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        found = read(settings)
        self._settings = settings
        self._in_use = found.digest
        self._loop = Loop("certificate_files", self._look, WATCH_SECONDS, WATCH_SECONDS)
        self.native = _native(found)

    @property
    def state(self) -> LoopState:
        """Whether the files can be used; health shows it."""
        return self._loop.state

    async def watch(self) -> None:
        """Load the files whenever they have changed."""
        await self._loop.run()

    async def reload(self, settings: Settings, use_rest: Callable[[], object] = lambda: None) -> bool:
        """Use the certificates of these settings; return whether the certificates have changed.

        Args:
            use_rest: applies the other reloaded settings; called once the new certificates are checked.

        Raises:
            StartError: the certificates cannot be used, or `use_rest` raised it; no certificate has changed.
        """
        found = await asyncio.to_thread(read, settings)
        _native(found)
        use_rest()
        self._settings = settings
        return self._use(found)

    async def _look(self) -> None:
        try:
            if self._use(await self._settled()):
                log.info("the certificate has changed")
        except StartError as error:
            raise PartlyFailed(str(error)) from None

    async def _settled(self) -> Found:
        """Return the contents once they no longer change. Raises StartError."""
        found = await asyncio.to_thread(read, self._settings)
        while found.digest != self._in_use:
            await asyncio.sleep(SETTLED_SECONDS)
            again = await asyncio.to_thread(read, self._settings)
            if again == found:
                break
            found = again
        return found

    def _use(self, found: Found) -> bool:
        digest = found.digest
        if digest == self._in_use:
            return False
        try:
            self.native.replace(found.contents)
        except ValueError as error:
            raise _unusable(found, error) from None
        self._in_use = digest
        return True


def _native(found: Found) -> Certificates:
    """Check and load certificates. Raises StartError: they cannot be used."""
    try:
        return Certificates(found.contents)
    except ValueError as error:
        raise _unusable(found, error) from None


def certificate_pairs(settings: Settings) -> list[Pair]:
    """Return the files of every certificate; the default one is the last. Raises StartError."""
    if settings.tls_certificate is None or settings.tls_key is None:
        return []
    default = Pair(settings.tls_certificate.absolute(), settings.tls_key.absolute())
    return [*_more(settings.tls_folder), default]


def read(settings: Settings) -> Found:
    """Read every certificate and key. Raises StartError."""
    pairs = certificate_pairs(settings)
    return Found(pairs, [(_read(pair.chain), _read(pair.key)) for pair in pairs])


def _more(folder: Path | None) -> list[Pair]:
    if folder is None:
        return []
    try:
        folders = sorted(each for each in folder.absolute().iterdir() if each.is_dir())
    except OSError as error:
        raise StartError(f"tls_folder: {folder} cannot be read: {error.strerror}.") from error
    pairs = [Pair(each / CHAIN, each / KEY) for each in folders if not each.name.startswith(".")]
    # A folder with only one of the files is a mistake, and its error names the other file.
    return [pair for pair in pairs if pair.chain.exists() or pair.key.exists()]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StartError(f"The certificate file {path} cannot be read: {error.strerror}.") from error


def _unusable(found: Found, error: ValueError) -> StartError:
    index, reason = error.args
    pair = found.pairs[index]
    return StartError(f"The certificate {pair.chain} with the key {pair.key} cannot be used: {reason}.")
