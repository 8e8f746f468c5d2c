"""Refresh tokens: `<session id>.<generation>.<proof>`, an HMAC over session, generation and the session's salt.

Nothing secret is stored: a copy of the database makes no token, because the key is not in it. A token can be made again
at any time, so an answer that was lost, or asked for by two tabs at once, is simply given again. Whether a generation
is still good is the session's to say (`accounts/sessions.py`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import NamedTuple

from fechatter.errors import Unauthorized
from fechatter.model import MAX_ID, SessionId

MOST_CHARACTERS = 128


class RefreshToken(NamedTuple):
    """A token taken apart; its proof is not checked yet."""

    session_id: SessionId
    generation: int
    proof: str


class RefreshTokens:
    """Makes and proves refresh tokens.

    Args:
        secret: the server's secret, at least 32 bytes; the key is derived from it.
    """

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"fechatter refresh token", hashlib.sha256)

    def make(self, session_id: SessionId, generation: int, salt: bytes) -> str:
        """The session's token of one generation; the same bytes each time."""
        return f"{session_id}.{generation}.{self._proof(session_id, generation, salt)}"

    def is_genuine(self, token: RefreshToken, salt: bytes) -> bool:
        """Was this token made here for this session? In constant time."""
        proof = self._proof(token.session_id, token.generation, salt)
        return hmac.compare_digest(proof.encode(), token.proof.encode())

    def _proof(self, session_id: int, generation: int, salt: bytes) -> str:
        digest = hmac.digest(self._key, b"%d|%d|" % (session_id, generation) + salt, hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def parse(token: str) -> RefreshToken:
    """Take a token apart. Raises Unauthorized."""
    session_id, _, rest = token.partition(".")
    generation, _, proof = rest.partition(".")
    if len(token) > MOST_CHARACTERS or not token.isascii() or not (_is_number(session_id) and _is_number(generation)):
        raise refused()
    return RefreshToken(SessionId(int(session_id)), int(generation), proof)


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) <= 16 and int(text) <= MAX_ID


def refused() -> Unauthorized:
    """The one answer for every refresh token that is not good, whatever the reason."""
    return Unauthorized("The refresh token is not good, or no longer.")
