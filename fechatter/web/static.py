"""Serves the web client; `api/routes.py` lists its paths.

The content security policy allows scripts and styles only from files of this server. Browsers keep a file whose name
contains its digest for a year. They revalidate every other file on each use, so a new version shows at once.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from fechatter.errors import NotFound
from fechatter.web.files import WebFile, choose, files

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        # Only scripts send forms. Without scripts, a form would send a password to a URL that does not handle it.
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        # `vue` inserts compiled templates; `fechatter` starts our workers.
        "trusted-types vue fechatter",
    )
)

# api/middleware/headers.py adds the headers of every response.
HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
}

REVALIDATE = "no-cache"
IMMUTABLE = "public, max-age=31536000, immutable"


class WebPage:
    """The ASGI app of one HTML page of the client. A request raises NotFound if the client is not built."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = files().get(self._name)
        if found is None:
            raise NotFound("The web client is not built. Run `make web`.")
        await respond(found, Headers(scope=scope))(scope, receive, send)


async def asset(request: Request) -> Response:
    """Return a file of the client that is not an HTML page. Raises NotFound."""
    found = files().get(request.path_params["path"])
    if found is None or found.media_type == "text/html":
        raise NotFound()
    return respond(found, request.headers)


def respond(file: WebFile, headers: Headers) -> Response:
    """Return the file in the best coding that the browser accepts, or 304 if the browser has it already."""
    coding = choose(file, headers.get("accept-encoding", ""))
    etag = f'"{file.etag}"' if coding == "identity" else f'"{file.etag}-{coding}"'
    answer = {**HEADERS, "etag": etag, "cache-control": IMMUTABLE if file.immutable else REVALIDATE}
    if len(file.contents) > 1:
        answer["vary"] = "Accept-Encoding"
    if etag in {tag.strip().removeprefix("W/") for tag in headers.get("if-none-match", "").split(",")}:
        return Response(status_code=304, headers=answer)
    if coding != "identity":
        answer["content-encoding"] = coding
    return Response(file.contents[coding], headers=answer, media_type=file.media_type)
