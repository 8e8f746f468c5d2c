"""Refresh tokens: `<session id>.<generation>.<proof>`, an HMAC over session, generation and the session's salt.

The database does not contain the key, so nobody can create tokens from a copy of the database. The server can create
the same token again at any time. So it can send the same response again if the first one was lost, or if two tabs
requested it at once.
`accounts/sessions.py` decides whether a generation is still valid.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import NamedTuple

from fechatter.errors import Unauthorized
from fechatter.model import MAX_ID, SessionId

MAX_CHARACTERS = 128


class RefreshToken(NamedTuple):
    """A parsed token; its proof is not checked yet."""

    session_id: SessionId
    generation: int
    proof: str


class RefreshTokens:
    """Creates and verifies refresh tokens.

    Args:
        secret: the server's secret, at least 32 bytes; the key is derived from it.
    """

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"fechatter refresh token", hashlib.sha256)

    def make(self, session_id: SessionId, generation: int, salt: bytes) -> str:
        """Return the token of one generation of the session; the same bytes each time."""
        return f"{session_id}.{generation}.{self._proof(session_id, generation, salt)}"

    def is_genuine(self, token: RefreshToken, salt: bytes) -> bool:
        """Return whether this server created the token for this session. Takes constant time."""
        proof = self._proof(token.session_id, token.generation, salt)
        return hmac.compare_digest(proof.encode(), token.proof.encode())

    def _proof(self, session_id: int, generation: int, salt: bytes) -> str:
        digest = hmac.digest(self._key, b"%d|%d|" % (session_id, generation) + salt, hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def parse(token: str) -> RefreshToken:
    """Parse a token. Raises Unauthorized."""
    session_id, _, rest = token.partition(".")
    generation, _, proof = rest.partition(".")
    if len(token) > MAX_CHARACTERS or not token.isascii() or not (_is_number(session_id) and _is_number(generation)):
        raise refused()
    return RefreshToken(SessionId(int(session_id)), int(generation), proof)


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) <= 16 and int(text) <= MAX_ID


def refused() -> Unauthorized:
    """Return the error for every invalid refresh token, whatever the reason."""
    return Unauthorized("The refresh token is invalid or has expired.")
