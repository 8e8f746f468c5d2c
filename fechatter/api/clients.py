"""The client's address and the server's public origin. Headers count only if a proxy in `trusted_proxies` set them.

Links, cookies, rate limits and the Origin check use this; rights never do. native/src/forwarded.rs reads the headers,
for both entry points.
"""

from __future__ import annotations

from functools import lru_cache

from starlette.requests import HTTPConnection, Request

from fechatter.accounts.access import Device
from fechatter.canonical.web_origins import PORTS, WebOrigin, find_origin
from fechatter.errors import Forbidden
from fechatter.native import TrustedProxies
from fechatter.settings import Settings
from fechatter.settings.urls import local_url

CUSTOM_HEADER = "x-requested-with"
CUSTOM_VALUE = "fechatter"
USER_AGENT_CHARACTERS = 256


def device(request: Request, settings: Settings) -> Device:
    """Return the address and the user agent that a session stores."""
    agent = request.headers.get("user-agent", "")[:USER_AGENT_CHARACTERS]
    return Device(address(request, settings), "".join(filter(str.isprintable, agent)))


def address(request: HTTPConnection, settings: Settings) -> str:
    """Return the client's address: the nearest one that is not a trusted proxy; empty if it is unknown."""
    return _client(request, settings)[0]


def _client(request: HTTPConnection, settings: Settings) -> tuple[str, bool | None]:
    """Return the client's address, and whether it used HTTPS if a proxy states it."""
    peer = request.client.host if request.client else ""
    return _proxies(settings.trusted_proxies, settings.proxy_headers).client(peer, request.scope["headers"])


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
    """Return the scheme that the client used."""
    stated = _client(request, settings)[1]
    used_https = request.scope.get("scheme") == "https" if stated is None else stated
    return "https" if used_https else "http"


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


def check_origin(request: Request, settings: Settings) -> None:
    """Raises Forbidden `cross_site`: the request comes from a page of a site that is neither ours nor allowed.

    For requests that browsers send without the checks of CORS. Other clients send no Origin.
    """
    given = request.headers.getlist("origin")
    if not given or (len(given) == 1 and _is_ours(given[0], request, settings)):
        return
    origin = find_origin(given[0])
    if len(given) > 1 or origin is None or str(origin) not in settings.cors_origins:
        raise Forbidden("Pages of this site may not connect.", code="cross_site")


def _is_ours(text: str, request: Request, settings: Settings) -> bool:
    origin, configured = find_origin(text), _configured(settings.public_url)
    if origin is None or configured is not None:
        return origin is not None and origin == configured
    # Behind a TLS proxy that is not configured, the schemes may differ, so only the hosts are compared.
    return origin == find_origin(f"{origin.scheme}://{request.headers.get('host', '')}")


@lru_cache(maxsize=8)
def _proxies(proxies: tuple[str, ...], headers: str) -> TrustedProxies:
    return TrustedProxies(list(proxies), headers)


@lru_cache(maxsize=8)
def _configured(public_url: str | None) -> WebOrigin | None:
    return None if public_url is None else find_origin(public_url)
