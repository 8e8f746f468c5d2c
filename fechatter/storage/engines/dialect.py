"""The three spellings that differ between the engines' SQL, replaced once per statement.

`ANY_OF($n)` is the rows of a list of integers; `PAIRS($n)` a table (a, b) of a list of integer pairs; `JSON_ROWS($n)` a table of a list
of tuples, with one column `value`: its parts are `value->>0`, cast to their type.
"""

from __future__ import annotations

import re
from functools import lru_cache

import orjson

_ANY_OF = re.compile(r"ANY_OF\(\$(\d+)\)")
_PAIRS = re.compile(r"PAIRS\(\$(\d+)\)")
_JSON_ROWS = re.compile(r"JSON_ROWS\(\$(\d+)\)")
_PARAMETER = re.compile(r"\$(\d+)")


@lru_cache(maxsize=1024)
def for_sqlite(sql: str) -> str:
    """Numbered parameters `?n`; lists arrive as JSON texts."""
    sql = _ANY_OF.sub(r"(SELECT value FROM json_each($\1))", sql)
    sql = _PAIRS.sub(r"(SELECT value->>0 AS a, value->>1 AS b FROM json_each($\1))", sql)
    sql = _JSON_ROWS.sub(r"json_each($\1)", sql)
    return _PARAMETER.sub(r"?\1", sql)


@lru_cache(maxsize=1024)
def for_postgres(sql: str) -> str:
    """Arrays for lists of integers, JSON text for pairs."""
    sql = _ANY_OF.sub(r"(SELECT unnest($\1::bigint[]))", sql)
    sql = _PAIRS.sub(r"(SELECT (value->>0)::bigint AS a, (value->>1)::bigint AS b FROM json_array_elements($\1::text::json))", sql)
    return _JSON_ROWS.sub(r"json_array_elements($\1::text::json)", sql)


def sqlite_parameter(value: object) -> object:
    return orjson.dumps(value).decode() if isinstance(value, (list, tuple)) else value


def postgres_parameter(value: object) -> object:
    """Lists of pairs become JSON; lists of integers stay arrays."""
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], (list, tuple)):
        return orjson.dumps(value).decode()
    return value
