"""Decoding of JSON bodies into structs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fechatter.api.bodies import Body, Id
from fechatter.errors import Invalid, MalformedRequest
from fechatter.validation import decode, json_pointer


class Example(Body, frozen=True):
    name: str
    members: tuple[Id, ...] = ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b'{"name": NaN}',
        b'{"name": "\\ud800"}',
        b'{"name": "\xed\xa0\x80"}',
        b'{"name": "x"} {}',
        b"\xef\xbb\xbf{}",
    ],
)
def test_invalid_json_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedRequest):
        decode(body, Example)


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        (b"{}", "/name", "missing"),
        (b"[]", "", "invalid_type"),
        (b'{"name": {"$ne": ""}}', "/name", "invalid_type"),
        (b'{"name": ["x"]}', "/name", "invalid_type"),
        (b'{"name": null}', "/name", "invalid_type"),
        (b'{"name": "x", "nmae": 1}', "/nmae", "unknown_field"),
        (b'{"name": "x", "a/b~c": 1}', "/a~1b~0c", "unknown_field"),
        (b'{"name": "x", "members": [1, "2"]}', "/members/1", "invalid_type"),
        (b'{"name": "x", "members": [0]}', "/members/0", "out_of_range"),
        (b'{"name": "x", "members": [9007199254740992]}', "/members/0", "out_of_range"),
        (b'{"name": "x", "members": [' + b"9" * 4000 + b"]}", "/members/0", "out_of_range"),
        (b'{"name": "x", "members": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", "/members/0", "invalid_type"),
    ],
)
def test_json_of_another_shape_is_refused_with_a_pointer(body: bytes, pointer: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        decode(body, Example)
    assert [(error.pointer, error.code) for error in refused.value.errors] == [(pointer, code)]


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused(body: bytes) -> None:
    try:
        decode(body, Example)
    except (Invalid, MalformedRequest):
        pass


def test_paths_are_converted_to_pointers() -> None:
    assert json_pointer("$.messages[3].content") == "/messages/3/content"
    assert json_pointer("$") == ""
