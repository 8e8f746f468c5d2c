"""Access tokens: signed, short-lived, bound to a session (JWT, HS256).

A token proves only who signed in and through which session; whether that session still lives and what the person may do
is asked of the database with each request. Every request and stream passes `AccessTokens.verify`, so tokens found good
are remembered.
"""

from __future__ import annotations

import time
from typing import Any

import jwt
import msgspec

from fechatter.errors import Unauthorized
from fechatter.model import MAX_ID, SessionId, UserId, WorkspaceId

ALGORITHM = "HS256"
ISSUER = "fechatter"
AUDIENCE = "fechatter"
TYPE = "at+jwt"
SKEW_SECONDS = 30
"""How far another node's clock may be ahead of ours when it signs; what a token ends at is never stretched."""
MOST_CHARACTERS = 1024
MOST_REMEMBERED = 65_536


class Claims(msgspec.Struct, frozen=True):
    """What an access token says."""

    user_id: UserId
    workspace_id: WorkspaceId
    session_id: SessionId


class AccessTokens:
    """Signs and verifies access tokens.

    Args:
        secret: at least 32 bytes, the same on every node.
        expiry_seconds: how long a token is good.
    """

    def __init__(self, secret: bytes, expiry_seconds: int) -> None:
        self._secret = secret
        self.expiry_seconds = expiry_seconds
        self._good: dict[str, tuple[Claims, float]] = {}

    def sign(self, claims: Claims) -> str:
        """A token for the session, good from now on."""
        now = int(time.time())
        payload = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(claims.user_id),
            "wid": claims.workspace_id,
            "sid": claims.session_id,
            "iat": now,
            "exp": now + self.expiry_seconds,
        }
        return jwt.encode(payload, self._secret, ALGORITHM, headers={"typ": TYPE})

    def verify(self, token: str) -> Claims:
        """What a good token says. Raises Unauthorized."""
        remembered = self._good.get(token)
        if remembered is not None and remembered[1] > time.time():
            return remembered[0]
        return self._verify_anew(token)

    def _verify_anew(self, token: str) -> Claims:
        self._good.pop(token, None)
        claims, expiry = self._decode(token)
        if len(self._good) >= MOST_REMEMBERED:
            del self._good[next(iter(self._good))]
        self._good[token] = claims, expiry
        return claims

    def _decode(self, token: str) -> tuple[Claims, float]:
        if len(token) > MOST_CHARACTERS:
            raise _refused()
        try:
            decoded = jwt.decode_complete(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                leeway=SKEW_SECONDS,
                options={"require": ["iss", "aud", "sub", "wid", "sid", "iat", "exp"]},
            )
        except (jwt.InvalidTokenError, ValueError) as error:
            raise _refused() from error
        expiry = float(decoded["payload"]["exp"])
        if decoded["header"].get("typ") != TYPE or expiry <= time.time():
            raise _refused()
        return _claims(decoded["payload"]), expiry


def _claims(payload: dict[str, Any]) -> Claims:
    subject, workspace_id, session_id = payload["sub"], payload["wid"], payload["sid"]
    if not (subject.isascii() and subject.isdecimal() and len(subject) <= 16):
        raise _refused()
    if not all(map(_is_id, (int(subject), workspace_id, session_id))):
        raise _refused()
    return Claims(UserId(int(subject)), WorkspaceId(workspace_id), SessionId(session_id))


def _is_id(value: object) -> bool:
    return type(value) is int and 0 < value <= MAX_ID


def _refused() -> Unauthorized:
    return Unauthorized("The access token is not good, or no longer.")
