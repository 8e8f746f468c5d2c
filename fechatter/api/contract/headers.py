"""The headers of requests and responses, each described once."""

from __future__ import annotations

from typing import Any

from fechatter.api.operations import Answer, Operation
from fechatter.model import POSITION_PATTERN
from fechatter.native import MAX_KEY_CHARACTERS

EXAMPLE_IDS = {"chat_id": 21, "message_id": 4711, "user_id": 7, "session_id": 90, "invitation_id": 33}

ANSWERED: dict[str, Any] = {
    "X-Request-Id": {
        "description": "The request's id, for the server's log.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,64}$"},
    },
    "Event-Cursor": {
        "description": "Events up to this position are included in the response.",
        "required": True,
        "schema": {"type": "string", "pattern": f"^{POSITION_PATTERN}$"},
    },
    "Retry-After": {
        "description": "Send the same request again after this number of seconds.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
    "RateLimit": {"description": 'What is left of the limit: `"name";r=left;t=seconds`.', "schema": {"type": "string"}},
    "RateLimit-Policy": {"description": 'The limit: `"name";q=requests;w=seconds`.', "schema": {"type": "string"}},
    "WWW-Authenticate": {"description": "How to sign in.", "required": True, "schema": {"type": "string"}},
    "Set-Cookie": {"description": "The refresh token, for our own web client.", "schema": {"type": "string"}},
    "ETag": {"description": "The version, for `If-None-Match`.", "required": True, "schema": {"type": "string"}},
}

SENT: dict[str, Any] = {
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "The same as `idempotency_key` in the body.",
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_CHARACTERS, "pattern": "^[ -~]*$"},
    },
    "Event-Cursor": {
        "name": "Event-Cursor",
        "in": "header",
        "description": "The positions that you have seen, separated by commas; the response is never older. "
        "If the log does not contain one of them, a stream or a page of events gets `reset`.",
        "schema": {
            "type": "string",
            "pattern": f"^{POSITION_PATTERN}( *, *{POSITION_PATTERN}){{0,31}}$",
            "examples": ["5f2c81d0.1204"],
        },
    },
    "Last-Event-ID": {
        "name": "Last-Event-ID",
        "in": "header",
        "description": "The newest `id:` that you saw. Without it, the stream begins with the next event.",
        "schema": {"type": "string", "examples": ["5f2c81d0.1204"]},
    },
    "X-Requested-With": {
        "name": "X-Requested-With",
        "in": "header",
        "description": "Only our own web client sends it, with the value `fechatter`: the refresh token is then set as "
        "a cookie.",
        "schema": {"type": "string", "examples": ["fechatter"]},
    },
}


def sent(declared: Operation) -> list[dict[str, str]]:
    """Return the header parameters of an operation."""
    return [{"$ref": f"#/components/parameters/{name}"} for name in declared.headers]


def answered(answer: Answer, *, counted: bool) -> dict[str, dict[str, str]]:
    """Return the headers of a successful response; if `counted`, with the state of the rate limit."""
    position, limit = ["Event-Cursor"] if answer.position else [], ["RateLimit", "RateLimit-Policy"] if counted else []
    return references(["X-Request-Id", *position, *limit, *answer.headers])


def references(names: list[str]) -> dict[str, dict[str, str]]:
    """Return references to the descriptions of these headers."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
