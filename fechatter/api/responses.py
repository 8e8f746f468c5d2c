"""JSON answers. What people are told is theirs alone, so no cache on the way may keep it."""

from __future__ import annotations

from starlette.responses import Response

from fechatter.model import Position, encode


def json_response(value: object, status: int = 200, *, position: Position | None = None, headers: dict[str, str] | None = None) -> Response:
    """The answer that holds `value` as JSON.

    `value` is made of structs, dicts and lists of them. `position` is where the snapshot stands that it was read from:
    events up to it are already in `value`.
    """
    answer = Response(encode(value), status, headers, media_type="application/json")
    answer.headers["cache-control"] = "no-store"
    if position is not None:
        answer.headers["event-cursor"] = str(position)
    return answer


def bytes_response(body: bytes, position: Position) -> Response:
    """Return the response for encoded JSON, as of `position`."""
    headers = {"cache-control": "no-store", "event-cursor": str(position)}
    return Response(body, media_type="application/json", headers=headers)


def no_content(headers: dict[str, str] | None = None) -> Response:
    """204."""
    return Response(status_code=204, headers=headers)
