"""The security headers of every response. Pages have a content security policy of their own (`web/static.py`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Send

from fechatter import native
from fechatter.settings import Settings
from fechatter.settings.urls import uses_https

Header = tuple[bytes, bytes]

POLICY = b"content-security-policy"

CORS_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
CORS_REQUEST_HEADERS = (
    "Authorization",
    "Content-Type",
    "Event-Cursor",
    "Idempotency-Key",
    "Last-Event-ID",
    "X-Request-Id",
)


class SecurityHeaders:
    """Adds the security headers to a response."""

    def __init__(self, settings: Settings) -> None:
        https = uses_https(settings)
        self._page = native.security_headers(https, True)
        self._data = native.security_headers(https, False)

    def added(self, own: Iterable[Header], counted: Iterable[Header], request_id: str) -> list[Header]:
        """Return a response's `own` headers, the `counted` rate limits, the request id and the security headers."""
        ours = self._data
        for name, _ in own:
            if name == POLICY:
                ours = self._page
        return [*own, *counted, *ours, (b"x-request-id", request_id.encode())]


def with_cors(app: ASGIApp, origins: Collection[str]) -> ASGIApp:
    """Allow requests from pages of `origins`, with a token but never with cookies."""
    return Cors(app, origins) if origins else app


class Cors(CORSMiddleware):
    """Starlette answers preflight requests. The headers of all other responses come from native/src/cors.rs, which the
    gateway uses too."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        super().__init__(app, allow_origins=origins, allow_methods=CORS_METHODS, allow_headers=CORS_REQUEST_HEADERS)
        self._rules = native.Cors(list(origins))

    async def send(self, message: Message, send: Send, request_headers: Headers) -> None:
        """Send a message of the response, with the headers if it is the start."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in self._rules.headers(request_headers.get("origin"), headers.getlist("vary")):
                headers[name] = value
        await send(message)
