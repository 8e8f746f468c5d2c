"""JSON Schemas of the API's types, and an example for each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

Schema = dict[str, Any]
PREFIX = "#/components/schemas/"

_ITEMS = re.compile(r"Items_(\w+)_")
_ROLE = re.compile(r"(View|Body)$")


def components(kinds: Sequence[Any]) -> tuple[list[Schema], dict[str, Schema]]:
    """Return a schema for each type, and the named schemas that they refer to."""
    shown, named = msgspec.json.schema_components(kinds, ref_template=PREFIX + "{name}")
    renamed = {_name(name): _plain(schema) for name, schema in sorted(named.items())}
    if len(renamed) < len(named) or any("." in name for name in renamed):
        raise LookupError(f"two types have one name: {sorted(named)}")
    for name in [name for name, schema in renamed.items() if not _allows_anything(schema)]:
        _drop(renamed, name)
    return [_plain(schema) for schema in shown], renamed


def _allows_anything(schema: Schema) -> bool:
    """Whether an object of the type can have a field; `Extras` cannot, as long as no field is defined."""
    return schema.get("properties") != {} or schema.get("additionalProperties") is not False


def _drop(named: dict[str, Schema], name: str) -> None:
    """Remove a type, and the fields that have it."""
    del named[name]
    for schema in named.values():
        fields = schema.get("properties", {})
        for field in [field for field, shape in fields.items() if shape == {"$ref": PREFIX + name}]:
            del fields[field]


def add_union(named: dict[str, Schema], name: str, union: Schema, description: str) -> None:
    """Add a named union. The other named schemas then refer to it instead of containing it."""
    for each in list(named):
        named[each] = _referring(named[each], union, {"$ref": PREFIX + name})
    named[name] = {"description": description, **union}


def _referring(schema: Any, union: Schema, reference: Schema) -> Any:
    if schema == union:
        return reference
    if isinstance(schema, list):
        return [_referring(each, union, reference) for each in schema]
    if isinstance(schema, dict):
        return {key: _referring(value, union, reference) for key, value in schema.items()}
    return schema


def _name(name: str) -> str:
    """`Items_Chat_` becomes `ChatItems`, `SessionView` becomes `Session`, `ProblemBody` becomes `Problem`."""
    kind, items = (found[1], "Items") if (found := _ITEMS.fullmatch(name)) else (name, "")
    return _ROLE.sub("", kind).replace("SessionAnswer", "SignedIn") + items


def _plain(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _plain(value) for key, value in schema.items() if key != "title" or not isinstance(value, str)}
    if "$ref" in plain:
        plain["$ref"] = PREFIX + _name(plain["$ref"].removeprefix(PREFIX))
    if plain.get("type") == "object" and "properties" in plain:
        _finish_object(plain)
    return plain


def _finish_object(schema: Schema) -> None:
    """Mark required fields. Responses contain every field with a default; requests may omit such fields."""
    if schema.get("additionalProperties") is not False:
        fields, required = schema["properties"], schema.get("required", ())
        schema["required"] = [name for name, field in fields.items() if "default" in field or name in required]
        for field in schema["properties"].values():
            field.pop("default", None)


def without_null(schema: Schema) -> Schema:
    """Return the schema of a parameter, which is omitted instead of null."""
    rest = {key: value for key, value in schema.items() if key != "default" or value is not None}
    choices = [each for each in rest.get("anyOf", ()) if each != {"type": "null"}]
    if len(choices) == 1:
        del rest["anyOf"]
        rest.update(choices[0])
    return rest


class Examples:
    """Makes examples of schemas from their own examples.

    Args:
        named: the schemas that others refer to.
    """

    def __init__(self, named: dict[str, Schema]) -> None:
        self._named = named

    def of(self, schema: Schema) -> Any:
        """Return a value that the schema allows, without optional fields that have no example."""
        if "examples" in schema:
            return schema["examples"][0]
        if "$ref" in schema:
            return self.of(self._named[schema["$ref"].removeprefix(PREFIX)])
        for key in ("const", "default"):
            if key in schema:
                return schema[key]
        if "enum" in schema:
            return schema["enum"][0]
        for key in ("anyOf", "oneOf", "allOf"):
            if key in schema:
                return self._of_choices(schema[key])
        return self._of_type(schema)

    def _of_choices(self, choices: list[Schema]) -> Any:
        return None if {"type": "null"} in choices else self.of(choices[0])

    def _of_type(self, schema: Schema) -> Any:
        match schema.get("type"):
            case "object":
                return self._of_object(schema)
            case "array":
                return [self.of(schema["items"])] if "items" in schema else []
            case "integer" | "number":
                return schema.get("minimum", 1)
            case "boolean":
                return False
            case "string":
                return "text"
            case _:
                return None

    def _of_object(self, schema: Schema) -> Any:
        fields = schema.get("properties", {})
        required = schema.get("required", ())
        shown = {name: self.of(field) for name, field in fields.items() if name in required or "examples" in field}
        if not shown and isinstance(schema.get("additionalProperties"), dict):
            return {"name": self.of(schema["additionalProperties"])}
        return shown
