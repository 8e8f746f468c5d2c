"""Tickets that open one WebSocket each, for browsers, which cannot send an access token with it.

A ticket is part of a URL, and URLs are logged. So it is valid for seconds, opens nothing but a stream, and is accepted
once. It is signed with a key of its own, so every node accepts the tickets of the others, and no token is a ticket.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64

import msgspec

from fechatter.auth.tokens import Claims
from fechatter.errors import Unauthorized, Unavailable

TICKET_SECONDS = 30
MAX_USED = 65_536
"""Maximum number of used tickets that are remembered until they expire."""
MAX_CHARACTERS = 512
NONCE_BYTES = 12
_PURPOSE = b"fechatter stream ticket"


class Ticket(msgspec.Struct, frozen=True, array_like=True):
    """The signed content of a ticket. `expires` is a time in seconds since 1970."""

    claims: Claims
    expires: int
    nonce: str


class StreamTickets:
    """Issues tickets, and accepts each of them once on this node. Runs on the main loop."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, _PURPOSE, hashlib.sha256)
        self._used: dict[str, int] = {}

    def issue(self, claims: Claims) -> str:
        """Return a ticket for the session."""
        ticket = Ticket(claims, int(time.time()) + TICKET_SECONDS, secrets.token_urlsafe(NONCE_BYTES))
        content = msgspec.json.encode(ticket)
        return urlsafe_b64encode(self._signature(content) + content).rstrip(b"=").decode()

    def check(self, text: str) -> Ticket:
        """Return the content of a ticket that `use` would accept. Raises Unauthorized."""
        ticket = self._read(text)
        if ticket.expires <= time.time():
            raise Unauthorized("The ticket has expired.", code="ticket_expired")
        if ticket.nonce in self._used:
            raise Unauthorized("The ticket was used before.", code="ticket_used")
        return ticket

    def use(self, ticket: Ticket) -> None:
        """Accept the ticket now, and never again. Raises Unavailable: too many tickets were used lately."""
        if len(self._used) >= MAX_USED:
            now = time.time()
            self._used = {nonce: expires for nonce, expires in self._used.items() if expires > now}
            if len(self._used) >= MAX_USED:
                raise Unavailable("Too many streams were opened at once.")
        self._used[ticket.nonce] = ticket.expires

    def _read(self, text: str) -> Ticket:
        invalid = Unauthorized("The ticket is invalid.", code="invalid_ticket")
        if len(text) > MAX_CHARACTERS or not text.isascii():
            raise invalid
        try:
            signed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (NotBase64, ValueError):
            raise invalid from None
        size = hashlib.sha256().digest_size
        signature, content = signed[:size], signed[size:]
        if not hmac.compare_digest(signature, self._signature(content)):
            raise invalid
        return msgspec.json.decode(content, type=Ticket)

    def _signature(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, hashlib.sha256)
