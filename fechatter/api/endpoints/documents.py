"""The API contract, as a document and as pages."""

from __future__ import annotations

import gzip
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fechatter.api.contract.pages import docs_page
from fechatter.api.contract.problem_page import problems_page
from fechatter.api.operations import Answer, operation
from fechatter.web.files import WebFile
from fechatter.web.static import respond

FILE = Path(__file__).parent.parent / "contract" / "openapi.json"
STYLES = [FILE.with_name("docs.css"), FILE.with_name("docs_operations.css")]


@operation(
    "showContract",
    Answer(dict[str, Any], headers=("ETag",)),
    Answer(None, 304, "The document has not changed.", headers=("ETag",)),
)
async def openapi(request: Request) -> Response:
    """Get this document

    OpenAPI 3.1. Send its `ETag` as `If-None-Match`: the response is 304 if the document has not changed.
    """
    return respond(contract(), request.headers)


async def docs(request: Request) -> Response:
    """GET /docs: the contract as a page."""
    return respond(pages()["docs"], request.headers)


async def problems(request: Request) -> Response:
    """GET /docs/problems: all error codes."""
    return respond(pages()["problems"], request.headers)


async def style(request: Request) -> Response:
    """GET /docs/style.css."""
    return respond(pages()["style"], request.headers)


@cache
def pages() -> dict[str, WebFile]:
    """Make the pages and their style, at the first request."""
    document = json.loads(FILE.read_bytes())
    return {
        "docs": file_of(docs_page(document), "text/html"),
        "problems": file_of(problems_page(document["components"]["examples"]["invalid"]["value"]), "text/html"),
        "style": file_of(b"\n".join(path.read_bytes() for path in STYLES), "text/css"),
    }


@cache
def contract() -> WebFile:
    """Return the document as it is sent."""
    return file_of(FILE.read_bytes(), "application/json")


def file_of(content: bytes, media_type: str) -> WebFile:
    """Return content as a file with a compressed copy."""
    contents = {"identity": content, "gzip": gzip.compress(content, mtime=0)}
    return WebFile(contents, media_type, hashlib.sha256(content).hexdigest()[:32], immutable=False)
