"""The TLS certificate and its key, checked before the server uses them."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

import msgspec

from fechatter.errors import StartError
from fechatter.settings import Settings


class Certificate(msgspec.Struct, frozen=True):
    """The files of a usable certificate.

    Attributes:
        chain: PEM file with the server's certificate and its intermediate certificates.
        key: PEM file with the certificate's private key, not encrypted.
        digest: SHA-256 of the contents of both files, to recognise a new certificate.
    """

    chain: Path
    key: Path
    digest: bytes


def load_certificate(settings: Settings) -> Certificate | None:
    """Return the certificate of the settings, or None for plain HTTP. Raises StartError: it cannot be used."""
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    chain, key = settings.tls_certificate.absolute(), settings.tls_key.absolute()
    digest = hashlib.sha256(_read("tls_certificate", chain) + b"\0" + _read("tls_key", key)).digest()
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key, password=_refuse)
    except (ssl.SSLError, ValueError) as error:
        raise StartError(f"The certificate {chain} with the key {key} cannot be used: {_words(error)}.") from error
    return Certificate(chain, key, digest)


def _read(setting: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StartError(f"{setting}: {path} cannot be read: {error.strerror}.") from error


def _refuse() -> str:
    """Refuse an encrypted key; the default would ask for its password on the terminal."""
    raise ValueError("the key is encrypted")


def _words(error: Exception) -> str:
    if not isinstance(error, ssl.SSLError):
        return str(error)
    return (
        "they do not belong together"
        if error.reason == "KEY_VALUES_MISMATCH"
        else "they are not PEM of a certificate and its key"
    )
