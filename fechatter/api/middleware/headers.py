"""What every answer says to browsers: the one place for it. Pages have a content security policy of their own (`web/static.py`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from fechatter.settings import Settings

Header = tuple[bytes, bytes]

EVERYWHERE: list[Header] = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
POLICY = b"content-security-policy"
NO_DOCUMENT: Header = (POLICY, b"default-src 'none'; frame-ancestors 'none'")
"""For what is no page: a browser that is made to show it runs and loads nothing."""
HTTPS_ONLY: Header = (b"strict-transport-security", b"max-age=31536000")

CORS_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
CORS_ASKED = ("Authorization", "Content-Type", "Event-Cursor", "Idempotency-Key", "Last-Event-ID", "X-Request-Id")
CORS_TOLD = ("Event-Cursor", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id")


class SecurityHeaders:
    """Adds them to an answer's own."""

    def __init__(self, settings: Settings) -> None:
        https = settings.tls_certificate is not None or (settings.public_url or "").startswith("https://")
        self._page = [*EVERYWHERE, HTTPS_ONLY] if https else EVERYWHERE
        self._data = [*self._page, NO_DOCUMENT]

    def added(self, own: Iterable[Header], counted: Iterable[Header], request_id: str) -> list[Header]:
        """An answer's `own`, what was `counted` of whoever asked, the request's id and ours."""
        ours = self._data
        for name, _ in own:
            if name == POLICY:
                ours = self._page
        return [*own, *counted, *ours, (b"x-request-id", request_id.encode())]


def with_cors(app: ASGIApp, origins: Collection[str]) -> ASGIApp:
    """Let pages of `origins` ask, with a token and never with cookies; the app as it is when there are none."""
    if not origins:
        return app
    return CORSMiddleware(app, allow_origins=origins, allow_methods=CORS_METHODS, allow_headers=CORS_ASKED, expose_headers=CORS_TOLD)
