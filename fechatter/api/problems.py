"""Renders every error response: `application/problem+json` with a stable `code` (RFC 9457).

The request boundary calls `render` for errors that endpoints raise. Batches put the same object into their own
responses.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from starlette.responses import Response

from fechatter import native
from fechatter.errors import (
    FieldError,
    Invalid,
    MalformedRequest,
    MethodNotAllowed,
    Problem,
    StorageError,
    TooManyRequests,
    Unavailable,
    UpgradeRequired,
)
from fechatter.model import encode
from fechatter.storage.engines.errors import RowRefused, StorageBusy, StorageFull


class ProblemBody(msgspec.Struct, frozen=True, kw_only=True):
    """An error response (RFC 9457). Programs use `code`, which is stable."""

    type: Annotated[
        str, msgspec.Meta(extra_json_schema={"format": "uri"}, examples=["urn:fechatter:problem:not_found"])
    ]
    title: Annotated[str, msgspec.Meta(examples=["Not found"])]
    status: Annotated[int, msgspec.Meta(ge=400, le=599, examples=[404])]
    code: Annotated[str, msgspec.Meta(examples=["not_found"])]
    detail: Annotated[str, msgspec.Meta(description="A sentence for people.", examples=["Not found"])]
    request_id: Annotated[str, msgspec.Meta(description="The same as `X-Request-Id`.", examples=["9e3779b97f4a7c15"])]


class InvalidProblem(ProblemBody, frozen=True, kw_only=True):
    """Some values are invalid."""

    errors: Annotated[list[FieldError], msgspec.Meta(min_length=1)]


class TooLargeProblem(ProblemBody, frozen=True, kw_only=True):
    """The body is too large."""

    limit_bytes: Annotated[int, msgspec.Meta(examples=[65536])]


class ResetProblem(ProblemBody, frozen=True, kw_only=True):
    """Events cannot continue from this position."""

    reason: Literal["epoch", "ahead", "pruned", "too_many"]
    epoch: Annotated[str, msgspec.Meta(examples=["5f2c81d0"])]
    head: Annotated[int, msgspec.Meta(description="The newest event's number.", examples=[1204])]


class WorkspaceChoice(msgspec.Struct, frozen=True):
    """One of several workspaces to choose from."""

    slug: Annotated[str, msgspec.Meta(examples=["analytical-engines"])]
    name: Annotated[str, msgspec.Meta(examples=["Analytical Engines"])]


class ConflictProblem(ProblemBody, frozen=True, kw_only=True):
    """The request conflicts with something that exists. `workspaces` is present only with `workspace_required`."""

    workspaces: list[WorkspaceChoice] | msgspec.UnsetType = msgspec.UNSET


BODIES: dict[int, type[ProblemBody]] = {
    409: ConflictProblem,
    410: ResetProblem,
    413: TooLargeProblem,
    422: InvalidProblem,
}
"""The type of the body for each status whose body has further fields."""


def body(problem: Problem, request_id: str) -> bytes:
    """Return the problem's JSON object."""
    members = encode(problem.data)[1:-1]
    return native.problem_body(problem.status, problem.title, problem.code, problem.detail, request_id, members)


def render(problem: Problem, request_id: str) -> Response:
    """Return the response for a problem, with the headers of its status."""
    return Response(body(problem, request_id), problem.status, dict(_headers(problem)))


def render_for_gateway(problem: Problem, request_id: str) -> tuple[int, str, list[tuple[str, str]], bytes]:
    """Return the response for a problem as status, code, headers and body."""
    return problem.status, problem.code, _headers(problem), body(problem, request_id)


def _headers(problem: Problem) -> list[tuple[str, str]]:
    match problem:
        case TooManyRequests():
            return native.problem_headers(problem.status, problem.retry_after_seconds, problem.policy)
        case Unavailable():
            return native.problem_headers(problem.status, problem.retry_after_seconds)
        case MalformedRequest(code="malformed_head"):
            return [*native.problem_headers(problem.status), ("connection", "close")]
        case UpgradeRequired():
            return [
                *native.problem_headers(problem.status),
                ("connection", "upgrade"),
                ("upgrade", "websocket"),
                ("sec-websocket-version", "13"),
            ]
        case MethodNotAllowed():
            return native.problem_headers(problem.status, allow=", ".join(problem.data["allow"]))
        case _:
            return native.problem_headers(problem.status)


def from_storage(error: StorageError) -> Problem:
    """Return the problem for a database error. The request can be sent again, unless the database refuses a value."""
    match error:
        case RowRefused():
            return Invalid.field("", "not_storable", "The database refuses a value of this request.")
        case StorageFull():
            return Unavailable("The disk is full. Nothing was stored.", code="storage_full", retry_after_seconds=30)
        case StorageBusy():
            return Unavailable("Too many requests are waiting for the database.", code=error.code)
        case _:
            return Unavailable("The database does not respond.", code="storage_unavailable", retry_after_seconds=2)
