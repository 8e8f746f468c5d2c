"""The client's address and the server's public origin. Headers count only if a proxy in `trusted_proxies` set them.

Links, cookies, rate limits and the Origin check use this; rights never do.
"""

from __future__ import annotations

import re
from functools import lru_cache

from starlette.requests import HTTPConnection, Request

from fechatter.accounts.access import Device
from fechatter.canonical.networks import contains, parse_address, parse_networks, plain_address
from fechatter.canonical.web_origins import PORTS, WebOrigin, find_origin
from fechatter.errors import Forbidden
from fechatter.settings import Settings
from fechatter.settings.urls import local_url

CUSTOM_HEADER = "x-requested-with"
CUSTOM_VALUE = "fechatter"
USER_AGENT_CHARACTERS = 256

_WITH_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}")
_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


def device(request: Request, settings: Settings) -> Device:
    """Return the address and the user agent that a session stores."""
    agent = request.headers.get("user-agent", "")[:USER_AGENT_CHARACTERS]
    return Device(address(request, settings), "".join(filter(str.isprintable, agent)))


def address(request: HTTPConnection, settings: Settings) -> str:
    """Return the client's address: the nearest one that is not a trusted proxy; empty if it is unknown."""
    nearest = _peer(request)
    trusted = parse_networks(settings.trusted_proxies)
    if not contains(trusted, nearest):
        return nearest
    forwarded = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    while forwarded and contains(trusted, nearest):
        before = parse_address(_without_port(forwarded.pop().strip()))
        if before is None:
            break
        nearest = str(before)
    return nearest


def _peer(request: HTTPConnection) -> str:
    return plain_address(request.client.host) if request.client else ""


def _without_port(forwarded: str) -> str:
    """Remove the port that some proxies add: `192.0.2.1:4711`, `[2001:db8::1]:4711`."""
    found = _WITH_PORT.fullmatch(forwarded)
    return forwarded if found is None else found[1] or found[2]


def public_origin(request: Request, settings: Settings) -> WebOrigin:
    """Return the server's public origin: `public_url`, or else the origin that this request names."""
    configured = _configured(settings.public_url)
    if configured is not None:
        return configured
    scheme = _scheme(request, settings)
    named = find_origin(f"{scheme}://{request.headers.get('host', '')}")
    listening = find_origin(local_url(settings.host, settings.port, scheme))
    return named or listening or WebOrigin(scheme, "localhost", PORTS[scheme])


def public_address(request: Request, settings: Settings) -> str:
    """Return `public_origin` as text, the beginning of every link."""
    return str(public_origin(request, settings))


def _scheme(request: Request, settings: Settings) -> str:
    """Return the scheme that the client used.

    Each proxy may append the scheme that it saw, so the first element of `X-Forwarded-Proto` comes from the outermost
    proxy. If a proxy appends, a client can forge the first element. That affects only the links and the cookie in the
    client's own response.
    """
    if contains(parse_networks(settings.trusted_proxies), _peer(request)):
        seen = ",".join(request.headers.getlist("x-forwarded-proto")).split(",")
        first = next((element for part in seen if (element := part.strip(' "').lower())), "")
        if first in _SCHEMES:
            return _SCHEMES[first]
    return "https" if request.scope.get("scheme") == "https" else "http"


def is_secure(request: Request, settings: Settings) -> bool:
    """Whether people reach the server over HTTPS."""
    return public_origin(request, settings).is_secure


def is_browser(request: Request) -> bool:
    """Whether the request has the custom header of our web client, which no other site can make a browser send."""
    return request.headers.get(CUSTOM_HEADER) == CUSTOM_VALUE


def check_same_site(request: Request, settings: Settings) -> None:
    """Raises Forbidden `cross_site`: the request has no custom header, or it comes from another site's page."""
    origin = request.headers.get("origin")
    if not is_browser(request) or (origin is not None and not _is_ours(origin, request, settings)):
        raise Forbidden("Cookies are accepted only from this server's own pages.", code="cross_site")


def _is_ours(text: str, request: Request, settings: Settings) -> bool:
    origin, configured = find_origin(text), _configured(settings.public_url)
    if origin is None or configured is not None:
        return origin is not None and origin == configured
    # Behind a TLS proxy that is not configured, the schemes may differ, so only the hosts are compared.
    return origin == find_origin(f"{origin.scheme}://{request.headers.get('host', '')}")


@lru_cache(maxsize=8)
def _configured(public_url: str | None) -> WebOrigin | None:
    return None if public_url is None else find_origin(public_url)
