"""Web origins: scheme, host and port in the form that browsers send (RFC 6454, WHATWG URL).

Settings, Origin headers, links and cookies use `WebOrigin`; none of them compares or writes origins as text.
"""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import urlsplit

PORTS = {"http": 80, "https": 443}
HOST_CHARACTERS = 253

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")


class WebOrigin(NamedTuple):
    """An origin; `str` formats it as a browser does, without the scheme's default port.

    Attributes:
        host: in lower case and ASCII (`xn--…`); an IPv6 address in brackets.
    """

    scheme: str
    host: str
    port: int

    @property
    def is_secure(self) -> bool:
        return self.scheme == "https"

    def __str__(self) -> str:
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"


def parse_origin(text: str) -> WebOrigin:
    """Parse `https://chat.example.org`, with or without a port and a slash at the end.

    Raises:
        ValueError: the text is not an origin; the message states why.
    """
    if not text.isprintable() or text != text.strip():
        raise ValueError("contains spaces or control characters")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError("is not a valid URL") from error
    if parts.scheme not in PORTS:
        raise ValueError("must begin with http:// or https://")
    if not parts.hostname:
        raise ValueError("has no host")
    # `urlsplit` reports no query or fragment for a lone `?` or `#`, so the text itself is searched.
    if "@" in parts.netloc or re.search("[?#\\\\]", text) or parts.path not in ("", "/"):
        raise ValueError("must be scheme, host and port only, as in https://chat.example.org")
    if port == 0:
        raise ValueError("cannot use port 0")
    return WebOrigin(parts.scheme, _host(parts.hostname, bracketed="[" in parts.netloc), port or PORTS[parts.scheme])


def find_origin(text: str) -> WebOrigin | None:
    """Return the result of `parse_origin`, or None if it raises."""
    try:
        return parse_origin(text)
    except ValueError:
        return None


def _host(host: str, *, bracketed: bool) -> str:
    if bracketed:
        return f"[{_address_v6(host)}]"
    ascii_host = host.lower() if host.isascii() else _to_ascii(host)
    if len(ascii_host.rstrip(".")) > HOST_CHARACTERS or not _HOST.fullmatch(ascii_host):
        raise ValueError(f"names an invalid host: {host}")
    if ascii_host.rstrip(".").rpartition(".")[2].isdecimal():
        return _address_v4(ascii_host.rstrip("."))
    return ascii_host


def _to_ascii(host: str) -> str:
    import idna  # a large table that few servers need

    try:
        return idna.encode(host, uts46=True, transitional=False).decode().lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise ValueError(f"names an invalid host: {host}") from error


def _address_v4(host: str) -> str:
    """Return an IPv4 address, because browsers read every host that ends in a number as an address."""
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError as error:
        raise ValueError(f"names an invalid host: {host}") from error


def _address_v6(host: str) -> str:
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError as error:
        raise ValueError(f"names an invalid host: [{host}]") from error
    if address.scope_id is not None:
        raise ValueError("contains an IPv6 zone, which browsers do not send")
    return address.compressed
