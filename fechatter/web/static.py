"""Serves the web client; `api/routes.py` names its addresses.

Scripts and styles come only from this server and nothing stands inline, which the content security policy holds. What
has its digest in its name is kept for ever, every other file is asked for each time, so a new version shows at once.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from fechatter.errors import NotFound
from fechatter.web.files import File, choose, files

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        # Forms are sent by scripts alone: without them a password would go where nobody reads it.
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        # `vue` inserts what the compiler made of our own templates; `fechatter` names our own workers.
        "trusted-types vue fechatter",
    )
)

# What every answer has beside these stands in api/middleware/headers.py.
HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
}

ASK_AGAIN = "no-cache"
FOR_EVER = "public, max-age=31536000, immutable"


class Page:
    """The ASGI app of one page. Raises NotFound where the client is not built."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = files().get(self._name)
        if found is None:
            raise NotFound("The web client is not built: make web")
        await respond(found, Headers(scope=scope))(scope, receive, send)


async def asset(request: Request) -> Response:
    """GET /static/{path}: a script, a style or a picture. Raises NotFound."""
    found = files().get(request.path_params["path"])
    if found is None or found.media_type == "text/html":
        raise NotFound()
    return respond(found, request.headers)


def respond(file: File, headers: Headers) -> Response:
    """The file in the best coding the browser takes, or 304 when the browser has it already."""
    coding = choose(file, headers.get("accept-encoding", ""))
    etag = f'"{file.etag}"' if coding == "identity" else f'"{file.etag}-{coding}"'
    answer = {**HEADERS, "etag": etag, "cache-control": FOR_EVER if file.immutable else ASK_AGAIN}
    if len(file.contents) > 1:
        answer["vary"] = "Accept-Encoding"
    if etag in {tag.strip().removeprefix("W/") for tag in headers.get("if-none-match", "").split(",")}:
        return Response(status_code=304, headers=answer)
    if coding != "identity":
        answer["content-encoding"] = coding
    return Response(file.contents[coding], headers=answer, media_type=file.media_type)
