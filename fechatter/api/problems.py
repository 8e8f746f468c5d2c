"""The one place that writes refusals: `application/problem+json` with a stable `code` (RFC 9457).

Called by the request boundary for errors on the way, and by streams and batches, which carry the same object inside
their own answers.
"""

from __future__ import annotations

from typing import assert_never

from starlette.responses import Response

from fechatter.errors import (
    MethodNotAllowed,
    Problem,
    TooManyRequests,
    Unauthorized,
    Unavailable,
)
from fechatter.model import encode
from fechatter.storage.engines.base import StorageBusy, StorageFull, StorageUnavailable

MEDIA_TYPE = "application/problem+json"


def body(problem: Problem, request_id: str) -> dict[str, object]:
    """The problem's JSON object."""
    return {
        "type": f"urn:fechatter:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        "request_id": request_id,
        **problem.data,
    }


def render(problem: Problem, request_id: str) -> Response:
    """The problem as an answer, with the headers its status asks for."""
    return Response(encode(body(problem, request_id)), problem.status, _headers(problem), media_type=MEDIA_TYPE)


def _headers(problem: Problem) -> dict[str, str]:
    headers = {"cache-control": "no-store"}
    if isinstance(problem, Unauthorized):
        headers["www-authenticate"] = 'Bearer realm="fechatter"'
    elif isinstance(problem, TooManyRequests | Unavailable):
        headers["retry-after"] = str(problem.retry_after_seconds)
        if isinstance(problem, TooManyRequests) and problem.policy is not None:
            name, tries, seconds = problem.policy
            headers["ratelimit-policy"] = f'"{name}";q={tries};w={seconds}'
            headers["ratelimit"] = f'"{name}";r=0;t={problem.retry_after_seconds}'
    elif isinstance(problem, MethodNotAllowed):
        headers["allow"] = ", ".join(problem.data["allow"])
    return headers


def from_storage(error: StorageFull | StorageUnavailable) -> Unavailable:
    """What the database could not do, as a problem; the request may be sent again."""
    match error:
        case StorageFull():
            return Unavailable("The disk is full; nothing was kept.", code="storage_full", retry_after_seconds=30)
        case StorageBusy():
            return Unavailable("Too many requests wait for the database.", code=error.code)
        case StorageUnavailable():
            return Unavailable("The database does not answer.", code="storage_unavailable", retry_after_seconds=2)
        case _:
            assert_never(error)
