"""For any bytes, the extension and the reference return the same message or the same errors."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fechatter import native
from tests.native import bodies, reference

DEEP = b'{"content":"a","x":' + b"[" * 40 + b"]" * 40 + b"}"
DEEP_EXTRAS = b'{"content":"a","extras":' + b'{"a":' * 31 + b"{}" + b"}" * 32
header_keys = st.none() | st.sampled_from(["a", "", "a" * 65, "é"]) | bodies.valid_texts


def found(parse: Callable[..., Any], *arguments: Any) -> Any:
    """Return the result or the error of a parser, in the same form for both parsers."""
    try:
        return parse(*arguments)
    except native.MalformedBody as error:
        code, detail = error.args
        return ("malformed", code, *([detail] if code == "malformed_utf8" else []))
    except reference.NotJson as error:
        return ("malformed", *error.args)
    except native.InvalidMessage as error:
        return ("invalid", error.errors)
    except reference.InvalidBody as error:
        return ("invalid", error.args[0])


@settings(max_examples=600, deadline=None)
@given(bodies.any_message_body, header_keys)
@example(DEEP, None)
@example(b"\xef\xbb\xbf{}", None)
@example(b'{"content":"a","x":1' + b"0" * 5000 + b"}", None)
@example(b"[" * 100_000, None)
def test_a_body_is_parsed_as_the_reference_does(body: bytes, header_key: str | None) -> None:
    expected = found(lambda: reference.parse_message(body, header_key)[:2])
    assert found(native.parse_message, body, header_key) == expected


@settings(max_examples=400, deadline=None)
@given(bodies.any_message_body, header_keys)
@example(DEEP, None)
@example(DEEP_EXTRAS, None)
def test_a_pushed_message_equals_that_of_the_reference(body: bytes, header_key: str | None) -> None:
    assert found(push, body, header_key) == found(reference.parse_message, body, header_key, True)


def push(body: bytes, header_key: str | None) -> reference.Message:
    """Return the message that an intake stores for a body."""
    intake = native.Intake(extras_allowed=True)
    assert intake.push(body, header_key, 1, 2, 3, None)
    ((_, message),) = take_messages(intake)
    return message


@settings(max_examples=400, deadline=None)
@given(bodies.any_batch_body, st.booleans())
def test_a_body_of_many_messages_is_parsed_as_the_reference_does(body: bytes, extras_allowed: bool) -> None:
    assert found(push_batch, body, extras_allowed) == found(reference.parse_batch, body, extras_allowed)


def push_batch(body: bytes, extras_allowed: bool) -> list[reference.Message | reference.Errors]:
    """Return the message or the errors of each entry, as the reference does."""
    intake = native.Intake(extras_allowed=extras_allowed)
    entries, wake = intake.push_many(body, 1, 2, 3, object)
    messages = dict(take_messages(intake))
    assert wake == bool(messages)
    return [entry.errors if isinstance(entry, native.InvalidMessage) else messages[entry] for entry in entries]


def take_messages(intake: native.Intake) -> list[tuple[object, reference.Message]]:
    """Take a batch; returns the ticket and the message of each row. Checks the fingerprints and the bytes."""
    waiting_bytes, batch = intake.waiting_bytes, intake.take()
    if batch is None:
        return []
    keys = [key and original(key) for key in batch.keys()]  # noqa: SIM118 - a batch is not a mapping
    extras = {row: source.decode() for row, source in batch.extras().items()}
    contents = batch.contents()
    messages = [(content, keys[row], extras.get(row)) for row, content in enumerate(contents)]
    assert batch.fingerprints.tolist() == [reference.fingerprint(content, source) for content, _, source in messages]
    assert waiting_bytes == len("".join([*contents, *extras.values()]).encode())
    assert intake.waiting_bytes == 0
    return list(zip(batch.tickets, messages, strict=True))


def original(key: bytes) -> str:
    """Return a stored key as its sender wrote it. No key ends in NUL, which is a control character."""
    return str(uuid.UUID(bytes=key)) if len(key) == 16 else key.rstrip(b"\0").decode()


uuids = st.uuids().map(str)
valid_keys = (
    uuids | uuids.map(str.upper) | st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=64)
)


def stored_key(key: str) -> bytes | None:
    """Return the stored form of a key from the header."""
    intake = native.Intake()
    intake.push(b'{"content":"a"}', key, 1, 2, 3, None)
    batch = intake.take()
    assert batch is not None
    return batch.keys()[0]


@settings(deadline=None)
@given(valid_keys)
def test_stored_keys_equal_those_of_the_reference(key: str) -> None:
    assert stored_key(key) == reference.stored_key(key)


@settings(deadline=None)
@given(valid_keys, valid_keys)
def test_different_keys_have_different_stored_forms(first: str, second: str) -> None:
    assert (stored_key(first) == stored_key(second)) == (first == second)


def test_an_error_contains_the_fields_and_a_readable_text() -> None:
    with pytest.raises(native.InvalidMessage) as caught:
        native.parse_message(b'{"content":" ","colour":1}')
    assert caught.value.errors == [
        ("/content", "blank", "must not be only white space"),
        ("/colour", "unknown_field", "no such field"),
    ]
    assert "blank" in str(caught.value)
    with pytest.raises(native.MalformedBody) as malformed:
        native.parse_message(b'{"content":"a"')
    assert malformed.value.args == ("malformed_json", "EOF while parsing an object at line 1 column 14")


def test_a_body_must_be_bytes() -> None:
    for body in ['{"content":"a"}', None, bytearray(b"{}"), memoryview(b"{}")]:
        with pytest.raises(TypeError):
            native.parse_message(body)  # type: ignore[arg-type]
