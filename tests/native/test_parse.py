"""Any bytes in: the extension and the reference find the same message, or the same errors."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fechatter import native
from tests.native import bodies, reference

DEEP = b'{"content":"a","x":' + b"[" * 40 + b"]" * 40 + b"}"
header_keys = st.none() | st.sampled_from(["a", "", "a" * 65, "é"]) | bodies.valid_texts


def found(parse: Callable[..., Any], *arguments: Any) -> Any:
    """What a parser returns or raises, in one form for both."""
    try:
        return parse(*arguments)
    except native.MalformedBody as error:
        code, detail = error.args
        return ("malformed", code, *([detail] if code == "malformed_utf8" else []))
    except reference.Malformed as error:
        return ("malformed", *error.args)
    except native.InvalidMessage as error:
        return ("invalid", error.errors)
    except reference.Invalid as error:
        return ("invalid", error.args[0])


@settings(max_examples=600, deadline=None)
@given(bodies.any_message_body, header_keys)
@example(DEEP, None)
@example(b"\xef\xbb\xbf{}", None)
@example(b'{"content":"a","x":1' + b"0" * 5000 + b"}", None)
@example(b"[" * 100_000, None)
def test_a_message_is_found_or_refused_as_the_reference_does(body: bytes, header_key: str | None) -> None:
    assert found(native.parse_message, body, header_key) == found(reference.parse_message, body, header_key)


@settings(max_examples=400, deadline=None)
@given(bodies.any_batch_body)
def test_a_batch_is_found_or_refused_as_the_reference_does(body: bytes) -> None:
    assert found(push_batch, body) == found(reference.parse_batch, body)


def push_batch(body: bytes) -> list[Any]:
    """The outcomes of a batch as the reference tells them: (content, key) or errors."""
    intake = native.Intake()
    outcomes, wake = intake.push_many(body, 1, 2, 3, object)
    batch = intake.take()
    assert wake == (batch is not None)
    rows = {} if batch is None else dict(zip(batch.tickets, read_messages(batch), strict=True))
    return [entry.errors if isinstance(entry, native.InvalidMessage) else rows[entry] for entry in outcomes]


def read_messages(batch: native.MessageBatch) -> list[tuple[str, str | None]]:
    """(content, key) of each row."""
    keys = (None if key is None else original(key) for key in batch.keys())  # noqa: SIM118 - a batch is no mapping
    return list(zip(batch.contents(), keys, strict=True))


def original(key: bytes) -> str:
    """The spelling of a stored key; none ends in NUL, which is a control character."""
    return str(uuid.UUID(bytes=key)) if len(key) == 16 else key.rstrip(b"\0").decode()


@settings(deadline=None)
@given(bodies.valid_texts | st.uuids().map(str) | st.uuids().map(lambda key: str(key).upper()))
def test_stored_keys_and_fingerprints_are_those_of_the_reference(text: str) -> None:
    assert native.stored_key(text) == reference.stored_key(text)
    assert native.fingerprint(text) == reference.fingerprint(text)


@settings(deadline=None)
@given(bodies.valid_texts.filter(len), bodies.valid_texts.filter(len))
def test_two_keys_never_share_a_stored_form(first: str, second: str) -> None:
    assert (native.stored_key(first) == native.stored_key(second)) == (first == second)


def test_an_error_carries_its_fields_and_can_be_shown() -> None:
    with pytest.raises(native.InvalidMessage) as caught:
        native.parse_message(b'{"content":" ","colour":1}')
    assert caught.value.errors == [
        ("/content", "blank", "must not be only white space"),
        ("/colour", "unknown_field", "no such field"),
    ]
    assert "blank" in str(caught.value)
    with pytest.raises(native.MalformedBody) as malformed:
        native.parse_message(b'{"content":"a"')
    assert malformed.value.args == ("malformed_json", "expected a comma at byte 14")


def test_only_bytes_are_a_body() -> None:
    for body in ['{"content":"a"}', None, bytearray(b"{}"), memoryview(b"{}")]:
        with pytest.raises(TypeError):
            native.parse_message(body)  # type: ignore[arg-type]
