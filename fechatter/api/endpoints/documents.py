"""This contract."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fechatter.api.operations import Answer, operation
from fechatter.web.static import File, respond

FILE = Path(__file__).parent.parent / "contract" / "openapi.json"


@operation("showContract", Answer(dict[str, Any], headers=("ETag",)), Answer(None, 304, "It has not changed."))
async def openapi(request: Request) -> Response:
    """Get this document"""
    return respond(contract(), request.headers)


@cache
def contract() -> File:
    """The document as it is sent."""
    content = FILE.read_bytes()
    return File(content, "application/json", f'"{hashlib.sha256(content).hexdigest()[:32]}"')
