"""Decodes JSON into typed structs, and turns msgspec's errors into field errors with a place and a stable code."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from fechatter.errors import FieldError, Invalid, MalformedRequest

_PLACE = re.compile(r"^(?P<detail>.*?)(?: - at `(?P<path>\$.*)`)?$", re.DOTALL)
_FIELD = re.compile(r"(?P<what>missing required|contains unknown) field `(?P<name>.*)`", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")

T = TypeVar("T")


def decode(body: bytes | str, kind: type[T], root: str = "") -> T:
    """Decode JSON as a `kind`. Raises MalformedRequest, Invalid.

    Args:
        root: the JSON Pointer of `body` in the request, for the pointers of errors.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise Invalid([field_error(str(error), root)]) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedRequest("The body is not JSON in UTF-8.") from error


def field_error(message: str, root: str = "") -> FieldError:
    """Turn msgspec's error message into a pointer (RFC 6901), a stable code and a sentence."""
    place = _PLACE.match(message)
    assert place is not None  # the pattern matches every text
    detail, pointer = place["detail"], root + json_pointer(place["path"] or "$")
    field = _FIELD.search(detail)
    if field is None:
        return FieldError(pointer, _code(detail), detail)
    code = "missing" if field["what"] == "missing required" else "unknown_field"
    return FieldError(pointer + _escaped(field["name"]), code, detail)


def json_pointer(path: str) -> str:
    """`$.members[0]` -> `/members/0`."""
    return "".join(_escaped(name or index) for name, index in _STEP.findall(path))


def _escaped(step: str) -> str:
    return "/" + step.replace("~", "~0").replace("/", "~1")


def _code(detail: str) -> str:
    if " of length <= " in detail:
        return "too_long"
    if " of length >= " in detail:
        return "too_short"
    if "out of range" in detail or re.search(r"Expected `(int|float)` [<>]", detail):
        return "out_of_range"
    return "invalid_value" if "nvalid enum value" in detail else "invalid_type"
