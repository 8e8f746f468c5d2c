"""Where a request comes from and by which address it reached us: believed only as far as `trusted_proxies` goes.

Links, cookies and the Origin check use this; rights never do.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection, Request

from fechatter.accounts.access import Device
from fechatter.errors import Forbidden
from fechatter.settings import Settings

CUSTOM_HEADER = "x-requested-with"
CUSTOM_VALUE = "fechatter"
USER_AGENT_CHARACTERS = 256

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")

_WITH_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}")
MAPPED = "::ffff:"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def device(request: Request, settings: Settings) -> Device:
    """What a session is remembered by."""
    agent = request.headers.get("user-agent", "")[:USER_AGENT_CHARACTERS]
    return Device(address(request, settings), "".join(filter(str.isprintable, agent)))


def address(request: HTTPConnection, settings: Settings) -> str:
    """The client's address: the nearest one that no trusted proxy stands for; empty when nobody knows."""
    nearest = _plain(request.client.host) if request.client else ""
    trusted = _networks(settings.trusted_proxies)
    if not _is_within(nearest, trusted):
        return nearest
    forwarded = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    while forwarded and _is_within(nearest, trusted):
        before = _plain(_without_port(forwarded.pop().strip()))
        if not _is_address(before):
            break
        nearest = before
    return nearest


def _plain(address: str) -> str:
    """An address of version 4 that a socket of version 6 shows, as it is; other texts as they are."""
    return address[len(MAPPED) :] if address.lower().startswith(MAPPED) and _is_address(address[len(MAPPED) :]) else address


def _without_port(forwarded: str) -> str:
    """Some proxies name the client's port too: `192.0.2.1:4711`, `[2001:db8::1]:4711`."""
    found = _WITH_PORT.fullmatch(forwarded)
    return forwarded if found is None else found[1] or found[2]


def public_address(request: Request, settings: Settings) -> str:
    """Scheme and host people reach us at: `public_url`, else what this request says of itself."""
    if settings.public_url is not None:
        return settings.public_url
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        host = f"{settings.host}:{settings.port}"
    return f"{_scheme(request, settings)}://{host}"


def _scheme(request: Request, settings: Settings) -> str:
    peer = _plain(request.client.host) if request.client else ""
    told = request.headers.get("x-forwarded-proto", "")
    if told in ("http", "https") and _is_within(peer, _networks(settings.trusted_proxies)):
        return told
    return "https" if request.scope.get("scheme") == "https" else "http"


def is_secure(request: Request, settings: Settings) -> bool:
    """Whether people reach us over https."""
    return public_address(request, settings).startswith("https://")


def is_browser(request: Request) -> bool:
    """Whether our own web client asks: the custom header, which no other site can make a browser send."""
    return request.headers.get(CUSTOM_HEADER) == CUSTOM_VALUE


def check_same_site(request: Request, settings: Settings) -> None:
    """Raises Forbidden `cross_site`: a cookie came without the custom header, or from another site's page."""
    origin = request.headers.get("origin")
    if not is_browser(request) or (origin is not None and not _is_ours(origin, request, settings)):
        raise Forbidden("A cookie is taken from our own pages only.", code="cross_site")


def _is_ours(origin: str, request: Request, settings: Settings) -> bool:
    if settings.public_url is not None:
        return origin.lower() == settings.public_url.lower()
    # Behind a proxy that ends TLS and is not configured the schemes may differ; the host is what counts.
    try:
        return urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()
    except ValueError:
        return False


@lru_cache(maxsize=8)
def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_within(text: str, networks: tuple[Network, ...]) -> bool:
    return _is_address(text) and any(ipaddress.ip_address(text) in network for network in networks)
