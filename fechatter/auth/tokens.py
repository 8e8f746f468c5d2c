"""Access tokens: signed, short-lived, bound to a session (JWT, HS256).

A token proves only who signed in, and through which session. Each request reads from the database whether that session
is still active and which rights the person has. Every request and stream calls `AccessTokens.verify`, so valid tokens
are cached. native/src/token.rs has the rules of a valid token and the cache.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from base64 import urlsafe_b64encode

import msgspec

from fechatter import native
from fechatter.errors import Unauthorized
from fechatter.model import SessionId, UserId, WorkspaceId

ALGORITHM = "HS256"


class Claims(msgspec.Struct, frozen=True, gc=False):
    """The claims of an access token."""

    user_id: UserId
    workspace_id: WorkspaceId
    session_id: SessionId


class AccessTokens:
    """Signs and verifies access tokens.

    Args:
        secret: at least 32 bytes, the same on every node.
        expiry_seconds: the lifetime of a token.

    Attributes:
        verifier: shared with the gateway.
    """

    def __init__(self, secret: bytes, expiry_seconds: int) -> None:
        self._secret = secret
        self.expiry_seconds = expiry_seconds
        self.verifier = native.Tokens(secret)

    def sign(self, claims: Claims) -> str:
        """Return a token for the session, valid from now on."""
        now = int(time.time())
        payload = {
            "iss": native.TOKEN_ISSUER,
            "aud": native.TOKEN_ISSUER,
            "sub": str(claims.user_id),
            "wid": claims.workspace_id,
            "sid": claims.session_id,
            "iat": now,
            "exp": now + self.expiry_seconds,
        }
        header = {"alg": ALGORITHM, "typ": native.TOKEN_TYPE}
        signed = b".".join(_encoded(msgspec.json.encode(part)) for part in (header, payload))
        # RFC 7515. PyJWT would do the same, but it would be the server's only need of `cryptography`.
        signature = _encoded(hmac.digest(self._secret, signed, hashlib.sha256))
        return (signed + b"." + signature).decode()

    def verify(self, token: str) -> Claims:
        """Return the claims of a valid token. Raises Unauthorized."""
        found = self.verifier.verify(token)
        if found is None:
            raise Unauthorized("The access token is invalid or has expired.")
        # A call of each id type would double the time.
        return Claims(*found)  # type: ignore[arg-type]


def _encoded(part: bytes) -> bytes:
    """Return the base64url form without padding."""
    return urlsafe_b64encode(part).rstrip(b"=")
