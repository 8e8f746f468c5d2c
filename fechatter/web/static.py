"""Serves the web client; `api/routes.py` lists its paths.

The content security policy allows scripts and styles only from files of this server. Browsers keep a file whose name
contains its digest for a year. They revalidate every other file on each use, so a new version shows at once.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from fechatter import native
from fechatter.errors import NotFound
from fechatter.native import ClientVariant
from fechatter.web.files import ENCODINGS, IDENTITY, WebFile, choose, files

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
    """The ASGI app of one HTML page of the client. A request raises NotFound if the client is not built.

    Attributes:
        name: the file's path in `dist/`.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = files().get(self.name)
        if found is None:
            raise NotFound("The web client is not built. Run `make web`.")
        await respond(found, Headers(scope=scope))(scope, receive, send)


async def asset(request: Request) -> Response:
    """Return a file of the client that is not an HTML page. Raises NotFound."""
    found = files().get(request.path_params["path"])
    if found is None or not is_asset(found):
        raise NotFound()
    return respond(found, request.headers)


def is_asset(file: WebFile) -> bool:
    return file.media_type != "text/html"


def respond(file: WebFile, headers: Headers) -> Response:
    """Return the file in the best coding that the browser accepts, or 304 if the browser has it already."""
    coding = choose(file, headers.get("accept-encoding", ""))
    own = _headers(file, coding)
    if native.matches_tag(headers.get("if-none-match", ""), own["etag"]):
        return Response(status_code=304, headers=own)
    return _whole(file, coding, own)


def variants(file: WebFile) -> list[ClientVariant]:
    """Return the file in every coding, the best first: coding, tag, headers and content."""
    found = []
    for coding in (*(each for each in ENCODINGS if each in file.contents), IDENTITY):
        own = _headers(file, coding)
        whole = _whole(file, coding, own)
        found.append((coding, own["etag"], whole.headers.items(), file.contents[coding]))
    return found


def _headers(file: WebFile, coding: str) -> dict[str, str]:
    """Return the headers of the file, also of a 304."""
    etag = f'"{file.etag}"' if coding == IDENTITY else f'"{file.etag}-{coding}"'
    own = {**HEADERS, "etag": etag, "cache-control": IMMUTABLE if file.immutable else REVALIDATE}
    return own | {"vary": "Accept-Encoding"} if len(file.contents) > 1 else own


def _whole(file: WebFile, coding: str, own: dict[str, str]) -> Response:
    more = {} if coding == IDENTITY else {"content-encoding": coding}
    return Response(file.contents[coding], headers={**own, **more}, media_type=file.media_type)
