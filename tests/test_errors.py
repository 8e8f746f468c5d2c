"""Errors repeat only the beginning of a name that a client sent."""

from __future__ import annotations

import msgspec
import pytest
from starlette.requests import Request

from fechatter.api.queries import Query, read_query
from fechatter.errors import MAX_FIELD_CHARACTERS, Invalid
from fechatter.validation import decode


class NoFields(msgspec.Struct, forbid_unknown_fields=True):
    """A body without fields."""


class NoParameters(Query, frozen=True):
    """A query without parameters."""


@pytest.mark.parametrize("name", ["x" * 60_000, "\\u0001" * 9_000, "~" * 300])
def test_a_long_name_in_a_body_is_shortened(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        decode(b'{"%b":1}' % name.encode(), NoFields)
    [error] = refused.value.errors
    assert error.code == "unknown_field"
    assert max(len(error.pointer), len(error.detail)) <= MAX_FIELD_CHARACTERS


@pytest.mark.parametrize("query", [b"x" * 20_000 + b"=1", b"&".join([b"y" * 9_000 + b"=1"] * 2)])
def test_a_long_name_in_a_query_is_shortened(query: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        read_query(Request({"type": "http", "query_string": query}), NoParameters)
    [error] = refused.value.errors
    assert error.code in ("unknown_parameter", "duplicate_parameter")
    assert max(len(error.pointer), len(error.detail)) <= MAX_FIELD_CHARACTERS
