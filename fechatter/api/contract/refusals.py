"""The error codes of an operation: the declared ones, and those that follow from its sign-in, body and writes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fechatter.api.contract.headers import references
from fechatter.api.contract.schemas import Examples, Schema
from fechatter.api.operations import POSITION_HEADER, Operation
from fechatter.codes import PROBLEMS
from fechatter.errors import Problem, titles
from fechatter.native import PROBLEM_MEDIA_TYPE

ALWAYS = ("malformed_host", "internal_error", "database_busy", "storage_unavailable", "stopping")
COUNTED = ("rate_limited",)
SIGNED_IN = ("unauthorized", "session_ended")
WITH_BODY = (
    "malformed_json",
    "incomplete_body",
    "body_timeout",
    "body_too_large",
    "unsupported_media_type",
    "invalid",
    "batches_full",
)
WRITING = ("storage_full", "writer_full")

_HEADERS = {401: ["WWW-Authenticate"], 429: ["Retry-After", "RateLimit", "RateLimit-Policy"], 503: ["Retry-After"]}


def codes(declared: Operation, *, with_id: bool, signed_in: bool, counted: bool) -> list[str]:
    """Return every code that the operation may return, in the order of `codes.PROBLEMS`."""
    found = {*declared.refuses, *ALWAYS}
    found |= set(SIGNED_IN) if signed_in else set()
    found |= set(COUNTED) if counted else set()
    found |= {"too_many_at_once"} if counted and not signed_in else set()
    found |= set(WITH_BODY) if declared.body is not None else set()
    found |= {"invalid"} if declared.query is not None or POSITION_HEADER in declared.headers else set()
    found |= {"not_found"} if with_id else set()
    found |= set(WRITING) if _writes(declared) else set()
    return [code for code in PROBLEMS if code in found]


def _writes(declared: Operation) -> bool:
    return declared.body is not None or any(answer.status in (201, 204) for answer in declared.answers)


def by_status(names: Iterable[str]) -> dict[int, list[str]]:
    """Group codes by their status."""
    found: dict[int, list[str]] = {}
    for name in names:
        found.setdefault(PROBLEMS[name].status, []).append(name)
    return dict(sorted(found.items()))


def answer(status: int, names: list[str], body: Schema) -> dict[str, Any]:
    """Return the response object of a status: its codes with meanings and examples."""
    listed = "\n".join(f"* `{name}`: {PROBLEMS[name].means}" for name in names)
    schema = {"allOf": [body, {"type": "object", "properties": {"status": {"const": status}, "code": {"enum": names}}}]}
    shown = {name: {"$ref": f"#/components/examples/{name}"} for name in names}
    return {
        "description": f"{title(status)}.\n\n{listed}",
        "headers": references(["X-Request-Id", *_HEADERS.get(status, [])]),
        "content": {PROBLEM_MEDIA_TYPE: {"schema": schema, "examples": shown}},
    }


def example(name: str, body: Schema, examples: Examples) -> dict[str, Any]:
    """Return the example object of a code."""
    status = PROBLEMS[name].status
    made: dict[str, Any] = examples.of(body)
    own = {
        "type": f"urn:fechatter:problem:{name}",
        "title": title(status),
        "status": status,
        "code": name,
        "detail": PROBLEMS[name].means,
    }
    return {"summary": PROBLEMS[name].means, "value": made | own}


def title(status: int) -> str:
    """Return the title of all problems with a status."""
    return titles().get(status, Problem.title)
