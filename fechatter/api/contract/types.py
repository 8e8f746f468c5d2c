"""Schemas as HTML: a type in a few words, and the fields of an object as a table."""

from __future__ import annotations

from html import escape
from typing import Any

from fechatter.api.contract.markup import inline, prose, table

Json = dict[str, Any]
_LIMITS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {}",
    "maxItems": "at most {}",
}
BIGGEST_ID = 2**53 - 1


def section(document: Json) -> str:
    """Return the section about every named type."""
    made = "\n".join(_type(name, schema) for name, schema in document["components"]["schemas"].items())
    return f'<section id="types"><h2>Types</h2>{made}</section>'


def _type(name: str, schema: Json) -> str:
    values = f"<p>{shown(schema)}</p>" if "properties" not in schema else ""
    asked = schema.get("additionalProperties") is False
    content = prose(schema.get("description", "")) + values + fields(schema, requests=asked)
    return f'<article id="type-{name}"><h3>{name}</h3>{content}</article>'


def fields(schema: Json, *, requests: bool) -> str:
    """Return a table that marks required fields of a request, and optional fields of a response."""
    rows = []
    for name, field in schema.get("properties", {}).items():
        note = _note(requests=requests, required=name in schema.get("required", ()))
        rows.append([f"<code>{escape(name)}</code>{note}", shown(field), inline(_description(field))])
    return table(["Field", "Type", "Description"], rows)


def _note(*, requests: bool, required: bool) -> str:
    if requests:
        return " <em>required</em>" if required else ""
    return "" if required else " <em>not always</em>"


def _description(schema: Json) -> str:
    if "description" in schema:
        return str(schema["description"])
    return next((str(each["description"]) for each in schema.get("anyOf", ()) if "description" in each), "")


def shown(schema: Json) -> str:
    """Return a type in a few words, as HTML."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#type-{name}">{name}</a>'
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " | ".join(shown(each) for each in schema[key])
    limited = {key: text for key, text in _LIMITS.items() if key in schema and schema[key] != BIGGEST_ID}
    limits = [text.format(f"{schema[key]:,}") for key, text in limited.items()]
    return ", ".join([_name(schema), *limits])


def _name(schema: Json) -> str:
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {shown(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {shown(schema['additionalProperties'])}"
    return str(schema.get("format", kind))
