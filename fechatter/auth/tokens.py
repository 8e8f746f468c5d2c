"""Access tokens: signed, short-lived, bound to a session (JWT, HS256).

A token proves only who signed in, and through which session. Each request reads from the database whether that session
is still active and which rights the person has. Every request and stream calls `AccessTokens.verify`, which therefore
caches valid tokens.
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
"""How far the clock of the node that signed a token may be ahead of this node's. The expiry is never extended."""
MAX_CHARACTERS = 1024
MAX_CACHED = 65_536


class Claims(msgspec.Struct, frozen=True):
    """The claims of an access token."""

    user_id: UserId
    workspace_id: WorkspaceId
    session_id: SessionId


class AccessTokens:
    """Signs and verifies access tokens.

    Args:
        secret: at least 32 bytes, the same on every node.
        expiry_seconds: the lifetime of a token.
    """

    def __init__(self, secret: bytes, expiry_seconds: int) -> None:
        self._secret = secret
        self.expiry_seconds = expiry_seconds
        self._valid: dict[str, tuple[Claims, float]] = {}

    def sign(self, claims: Claims) -> str:
        """Return a token for the session, valid from now on."""
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
        """Return the claims of a valid token. Raises Unauthorized."""
        cached = self._valid.get(token)
        if cached is not None and cached[1] > time.time():
            return cached[0]
        return self._decode_and_cache(token)

    def _decode_and_cache(self, token: str) -> Claims:
        self._valid.pop(token, None)
        claims, expiry = self._decode(token)
        if len(self._valid) >= MAX_CACHED:
            del self._valid[next(iter(self._valid))]
        self._valid[token] = claims, expiry
        return claims

    def _decode(self, token: str) -> tuple[Claims, float]:
        if len(token) > MAX_CHARACTERS:
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
    return Unauthorized("The access token is invalid or has expired.")
