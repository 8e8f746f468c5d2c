"""JSON responses. They are for one person, so no cache may store them."""

from __future__ import annotations

from starlette.responses import Response

from fechatter.model import Position, encode


def json_response(
    value: object, status: int = 200, *, position: Position | None = None, headers: dict[str, str] | None = None
) -> Response:
    """Return `value` as JSON: structs, dicts, or lists of them.

    `position` is the position of the snapshot that `value` was read from. Events up to it are already in `value`.
    """
    return _json(encode(value), status, position, headers or {})


def bytes_response(body: bytes, position: Position) -> Response:
    """Return the response for encoded JSON, as of `position`."""
    return _json(body, 200, position, {})


def _json(body: bytes, status: int, position: Position | None, headers: dict[str, str]) -> Response:
    more = (
        {"cache-control": "no-store"}
        if position is None
        else {"cache-control": "no-store", "event-cursor": str(position)}
    )
    return Response(body, status, headers | more, media_type="application/json")


def no_content(headers: dict[str, str] | None = None) -> Response:
    """Return an empty response with the status 204."""
    return Response(status_code=204, headers=headers)
