"""Access tokens: signatures, claims and the cache of verified tokens."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest

from fechatter import native
from fechatter.auth.tokens import AccessTokens, Claims
from fechatter.errors import Unauthorized
from fechatter.model import SessionId, UserId, WorkspaceId

SECRET = b"s" * 32
CLAIMS = Claims(UserId(7), WorkspaceId(3), SessionId(9))


@pytest.fixture
def access() -> AccessTokens:
    return AccessTokens(SECRET, 900)


def forged(secret: bytes | None = SECRET, algorithm: str = "HS256", typ: str | None = "at+jwt", **changes: Any) -> str:
    now = int(time.time())
    payload = {"iss": "fechatter", "aud": "fechatter", "sub": "7", "wid": 3, "sid": 9, "iat": now, "exp": now + 60}
    payload = {name: value for name, value in {**payload, **changes}.items() if value is not None}
    return jwt.encode(payload, secret, algorithm, headers={"typ": typ, "kid": "../../secret"})


def test_a_signed_token_contains_its_claims(access: AccessTokens) -> None:
    assert access.verify(access.sign(CLAIMS)) == CLAIMS
    assert access.verify(forged()) == CLAIMS


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        "é",
        "x" * 100_000,
        forged(secret=b"t" * 32),
        forged(secret=None, algorithm="none"),
        forged(secret=b"s" * 64, algorithm="HS512"),
        forged(typ="JWT"),
        forged(typ="refresh"),
        forged(iss="other"),
        forged(aud="other"),
        forged(aud=None),
        forged(exp=int(time.time()) - 1),
        forged(exp=None),
        forged(nbf=int(time.time()) + 3600),
        forged(iat=int(time.time()) + 3600),
        forged(sub="x"),
        forged(sub="0"),
        forged(sub="7" * 30),
        forged(wid="3"),
        forged(wid=True),
        forged(sid=None),
        forged(sid=2**60),
        forged(sid=[9]),
    ],
)
def test_an_invalid_token_is_refused(access: AccessTokens, token: str) -> None:
    with pytest.raises(Unauthorized):
        access.verify(token)


def test_the_clock_of_another_node_may_be_slightly_ahead(access: AccessTokens) -> None:
    ahead = int(time.time()) + 20
    assert access.verify(forged(iat=ahead)) == CLAIMS
    assert access.verify(forged(nbf=ahead)) == CLAIMS


def test_a_cached_token_still_expires(access: AccessTokens) -> None:
    token, verifier, now = access.sign(CLAIMS), access.verifier, time.time()
    assert verifier.verify(token) == (7, 3, 9)
    assert (verifier.verify(token, now + 890), len(verifier)) == ((7, 3, 9), 1)
    assert (verifier.verify(token, now + 901), len(verifier)) == (None, 0)


def test_the_cache_of_tokens_is_limited(access: AccessTokens) -> None:
    verifier = native.Tokens(SECRET, max_cached=4)
    for session_id in range(1, 10):
        assert verifier.verify(access.sign(Claims(UserId(7), WorkspaceId(3), SessionId(session_id)))) is not None
        assert len(verifier) <= 4


def test_a_cached_token_costs_a_fraction_of_a_new_one(access: AccessTokens) -> None:
    token, uncached = access.sign(CLAIMS), native.Tokens(SECRET, max_cached=0)
    fresh = min(_seconds_of(lambda: uncached.verify(token), 500) for _ in range(5))
    cached = min(_seconds_of(lambda: access.verifier.verify(token), 500) for _ in range(5))
    assert cached < fresh / 2


def _seconds_of(work: Any, times: int) -> float:
    started = time.thread_time()
    for _ in range(times):
        work()
    return (time.thread_time() - started) / times
