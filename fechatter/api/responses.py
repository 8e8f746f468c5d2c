"""JSON responses. They are for one person, so no cache may store them."""

from __future__ import annotations

from starlette.responses import Response

from fechatter.api.labels import Labels
from fechatter.model import Position, encode


def json_response(
    value: object, status: int = 200, *, position: Position | None = None, headers: dict[str, str] | None = None
) -> Response:
    """Return `value` as JSON: structs, dicts, or lists of them.

    `position` is the position of the snapshot that `value` was read from. Events up to it are already in `value`.
    """
    return _json(encode(value), status, position, headers or {})


class PositionedJson(Response):
    """Encoded JSON as of a position. Its headers are encoded here, because Starlette's way takes four times as long."""

    def __init__(self, body: bytes, position: Position, labels: Labels) -> None:
        self.status_code, self.body, self.background = 200, body, None
        self.raw_headers = [
            (b"cache-control", b"no-store"),
            (b"event-cursor", str(position).encode("latin-1")),
            (b"content-length", b"%d" % len(body)),
            (b"content-type", b"application/json"),
            *labels,
        ]


def bytes_response(body: bytes, position: Position, labels: Labels = ()) -> Response:
    """Return the response for encoded JSON, as of `position`."""
    return PositionedJson(body, position, labels)


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
