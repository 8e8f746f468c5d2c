"""The handshake of a WebSocket (RFC 6455): who opens it, from which page, and with which answer.

Everything is checked before the answer, so no socket is open without a person.
"""

from __future__ import annotations

import base64
import hashlib
from binascii import Error as NotBase64

from starlette.requests import Request

from fechatter.api.clients import check_origin
from fechatter.api.identity import claims, services
from fechatter.api.middleware.behind_gateway import WEBSOCKET
from fechatter.auth.stream_tickets import Ticket
from fechatter.errors import Invalid, MalformedRequest, UpgradeRequired

SUBPROTOCOL = "fechatter.v1"
VERSION = "13"
KEY_BYTES = 16
_ACCEPT_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

Headers = list[tuple[bytes, bytes]]


def sign_in(request: Request, ticket: str) -> Ticket | None:
    """Find out who opens a WebSocket, by its access token or by a ticket. Returns the ticket, which is not used yet.

    Raises Unauthorized, Invalid: it has both.
    """
    if not ticket:
        claims(request)
        return None
    if "authorization" in request.headers:
        raise Invalid.field("?ticket", "conflicting_parameters", "Send either a ticket or an access token.")
    checked = services(request).stream_tickets.check(ticket)
    request.scope["state"]["claims"] = checked.claims
    return checked


def accept(request: Request) -> Headers:
    """Check the handshake and return the headers of its answer.

    Raises:
        UpgradeRequired: the client does not ask for a WebSocket of version 13.
        MalformedRequest: the key is missing or malformed, or the subprotocols are not ASCII.
        Forbidden: another site's page asks.
    """
    if WEBSOCKET not in (request.scope.get("extensions") or {}):
        raise UpgradeRequired("Connect with a WebSocket.")
    if request.headers.getlist("sec-websocket-version") != [VERSION]:
        raise UpgradeRequired("Only version 13 of the protocol is supported.")
    check_origin(request, services(request).settings)
    answer = [(b"sec-websocket-accept", _accept(request.headers.getlist("sec-websocket-key")))]
    if SUBPROTOCOL in _subprotocols(request):
        answer.append((b"sec-websocket-protocol", SUBPROTOCOL.encode()))
    return [*answer, (b"cache-control", b"no-store")]


def _accept(keys: list[str]) -> bytes:
    try:
        (key,) = keys
        is_valid = len(base64.b64decode(key, validate=True)) == KEY_BYTES
    except (ValueError, NotBase64):
        is_valid = False
    if not is_valid:
        raise MalformedRequest("The request needs one valid Sec-WebSocket-Key.", code="malformed_head")
    digest = hashlib.sha1(key.encode() + _ACCEPT_SUFFIX, usedforsecurity=False).digest()
    return base64.b64encode(digest)


def _subprotocols(request: Request) -> list[str]:
    lines = request.headers.getlist("sec-websocket-protocol")
    if not all(line.isascii() for line in lines):
        raise MalformedRequest("The subprotocols must be ASCII.", code="malformed_head")
    return [name.strip() for line in lines for name in line.split(",")]
