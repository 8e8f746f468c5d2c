"""Serves the files of `pages/`, as they stand; `api/routes.py` names the pages.

Scripts and styles come only from this server and nothing stands inline, which the content security policy holds. A
file's ETag is its digest, so a browser asks each time and a new version of the server shows at once.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import msgspec
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from fechatter.errors import NotFound

FOLDER = Path(__file__).parent / "pages"

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        # Forms are sent by scripts alone: without them a password would go where nobody reads it.
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)

HEADERS = {
    "cache-control": "no-cache",
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}

_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


class File(msgspec.Struct, frozen=True):
    """One file as it is sent; `etag` is quoted, as in its header."""

    content: bytes
    media_type: str
    etag: str


class Page:
    """The ASGI app of one page."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = respond(files()[self._name], Headers(scope=scope))
        await answer(scope, receive, send)


async def asset(request: Request) -> Response:
    """GET /static/{path}: a script, a style or a picture. Raises NotFound."""
    found = files().get(request.path_params["path"])
    if found is None or found.media_type == "text/html":
        raise NotFound()
    return respond(found, request.headers)


def respond(file: File, headers: Headers) -> Response:
    """The file, or 304 when the browser has it already."""
    known = {tag.strip().removeprefix("W/") for tag in headers.get("if-none-match", "").split(",")}
    if file.etag in known:
        return Response(status_code=304, headers={**HEADERS, "etag": file.etag})
    return Response(file.content, headers={**HEADERS, "etag": file.etag}, media_type=file.media_type)


@cache
def files() -> dict[str, File]:
    """Every file by its path in the folder; read once, so that no path of a request ever reaches the disk."""
    return {path.relative_to(FOLDER).as_posix(): _read(path) for path in sorted(FOLDER.rglob("*")) if path.suffix in _TYPES}


def _read(path: Path) -> File:
    content = path.read_bytes()
    return File(content, _TYPES[path.suffix], f'"{hashlib.sha256(content).hexdigest()[:32]}"')
