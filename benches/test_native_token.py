"""Verifying access tokens: the extension against PyJWT."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from fechatter import native
from fechatter.auth.tokens import AccessTokens, Claims
from fechatter.model import SessionId, UserId, WorkspaceId
from tests.native import token_reference

SECRET = b"k" * 32
TOKEN = AccessTokens(SECRET, 3600).sign(Claims(UserId(1), WorkspaceId(2), SessionId(3)))
VERIFIERS: dict[str, Callable[[str], Any]] = {
    "native, cached": native.Tokens(SECRET).verify,
    "native": native.Tokens(SECRET, max_cached=0).verify,
    "python": lambda token: token_reference.verify(token, SECRET),
}


@pytest.mark.parametrize("verifier", VERIFIERS)
def test_verify_a_token(benchmark: BenchmarkFixture, verifier: str) -> None:
    benchmark.group = "verify a token"
    assert benchmark(VERIFIERS[verifier], TOKEN) == (1, 2, 3)
