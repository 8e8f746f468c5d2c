"""Query strings: turns their text into a checked struct, or into a refusal that names the parameter.

A query's type is a Struct that inherits `Query`. Its fields are texts, whole numbers, or comma-separated lists of them.
Invalid values are refused, never replaced.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import inspect
from starlette.requests import HTTPConnection

from fechatter.errors import FieldError, Invalid
from fechatter.validation import field_error

MAX_DIGITS = 20

Q = TypeVar("Q", bound="Query")


class Query(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The parameters of a request's query."""


class Kinds(msgspec.Struct, frozen=True):
    """The names of the parameters that are whole numbers, and the names of the lists."""

    numbers: frozenset[str]
    lists: frozenset[str]


def read_query(request: HTTPConnection, kind: type[Q]) -> Q:
    """Read the request's query as a `kind`. Raises Invalid."""
    kinds = _kinds(kind)
    given: dict[str, object] = {}
    # Starlette's `query_params` builds two more objects from the same list.
    query: bytes = request.scope["query_string"]
    for name, text in parse_qsl(query.decode("latin-1"), keep_blank_values=True) if query else ():
        if name in given:
            raise Invalid.field(f"?{name}", "duplicate_parameter", "This parameter occurs twice.")
        given[name] = _value(name, text, kinds)
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise Invalid([_query_error(str(error))]) from error


def _value(name: str, text: str, kinds: Kinds) -> object:
    parts: list[str] = text.split(",") if name in kinds.lists else [text]
    values = [_number(part) for part in parts] if name in kinds.numbers else parts
    return values if name in kinds.lists else values[0]


def _number(text: str) -> int | str:
    """Return the number, or the text itself if it is none. A text is refused later, for its type."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS else text


def _query_error(message: str) -> FieldError:
    found = field_error(message)
    name = found.pointer.split("/")[1] if found.pointer else ""
    return FieldError(f"?{name}", "unknown_parameter" if found.code == "unknown_field" else found.code, found.detail)


@lru_cache(maxsize=128)
def _kinds(kind: type[Query]) -> Kinds:
    described = inspect.type_info(kind)
    assert isinstance(described, inspect.StructType)
    types = {field.encode_name: _alternatives(field.type) for field in described.fields}
    lists = {name: found for name, found in types.items() if any(isinstance(each, inspect.ListType) for each in found)}
    within = {
        name: [each.item_type if isinstance(each, inspect.ListType) else each for each in found]
        for name, found in types.items()
    }
    numbers = {
        name for name, found in within.items() if any(isinstance(_bare(each), inspect.IntType) for each in found)
    }
    return Kinds(frozenset(numbers), frozenset(lists))


def _alternatives(kind: inspect.Type) -> list[inspect.Type]:
    kind = _bare(kind)
    return [_bare(each) for each in kind.types] if isinstance(kind, inspect.UnionType) else [kind]


def _bare(kind: inspect.Type) -> inspect.Type:
    return _bare(kind.type) if isinstance(kind, inspect.Metadata) else kind
