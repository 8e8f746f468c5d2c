"""JSON answers. What people are told is theirs alone, so no cache on the way may keep it."""

from __future__ import annotations

from starlette.responses import Response

from fechatter.model import Position, encode


def json_response(value: object, status: int = 200, *, position: Position | None = None, headers: dict[str, str] | None = None) -> Response:
    """The answer that holds `value` as JSON.

    `value` is made of structs, dicts and lists of them. `position` is where the snapshot stands that it was read from:
    events up to it are already in `value`.
    """
    return _json(encode(value), status, position, headers or {})


def bytes_response(body: bytes, position: Position) -> Response:
    """Return the response for encoded JSON, as of `position`."""
    return _json(body, 200, position, {})


def _json(body: bytes, status: int, position: Position | None, headers: dict[str, str]) -> Response:
    more = {"cache-control": "no-store"} if position is None else {"cache-control": "no-store", "event-cursor": str(position)}
    return Response(body, status, headers | more, media_type="application/json")


def no_content(headers: dict[str, str] | None = None) -> Response:
    """204."""
    return Response(status_code=204, headers=headers)
