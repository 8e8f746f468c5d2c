"""Refresh tokens: their format and proof."""

from __future__ import annotations

import pytest

from fechatter.auth.refresh import RefreshTokens, parse
from fechatter.errors import Unauthorized
from fechatter.model import SessionId

SESSION = SessionId(12)


def test_a_token_is_valid_only_for_its_session_generation_and_salt() -> None:
    tokens = RefreshTokens(b"s" * 32)
    token = parse(tokens.make(SESSION, 3, b"salt"))
    assert (token.session_id, token.generation) == (12, 3)
    assert tokens.is_genuine(token, b"salt")
    assert not tokens.is_genuine(token, b"other")
    assert not tokens.is_genuine(token._replace(generation=4), b"salt")
    assert not tokens.is_genuine(token._replace(session_id=SessionId(13)), b"salt")
    assert not RefreshTokens(b"t" * 32).is_genuine(token, b"salt")


def test_a_token_is_reproducible() -> None:
    tokens = RefreshTokens(b"s" * 32)
    assert tokens.make(SESSION, 3, b"salt") == RefreshTokens(b"s" * 32).make(SESSION, 3, b"salt")


@pytest.mark.parametrize(
    "text", ["", ".", "1.", "x.1.p", "1.x.p", "-1.1.p", "١.1.p", "1.1.é", f"{2**60}.1.p", "1.1." + "p" * 200]
)
def test_malformed_tokens_are_refused(text: str) -> None:
    with pytest.raises(Unauthorized):
        parse(text)


def test_a_well_formed_token_with_a_wrong_proof_is_refused() -> None:
    assert not RefreshTokens(b"s" * 32).is_genuine(parse("1.2."), b"salt")
