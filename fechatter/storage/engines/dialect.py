"""Translates the SQL of this program to each engine. Only parameters and these functions differ:

* `ANY_OF($n)`: the rows of a list of integers.
* `PAIRS($n)`: a table (a, b) from a list of integer pairs.
* `JSON_ROWS($n)`: a table from a list of tuples, with one column `value`. The first element is `value->>0`, to be cast
  to its type.
* `PACKED(column)`: an aggregate, the bytes of all texts in a column, one after the other; NULL if there is no row.
* `NUMBERS(…)`: the text `[1,2]` of whole numbers. Instead of a NULL it has `null` or nothing.
* `GREATEST(a, b)`, `LEAST(a, b)`: of values that are not NULL.
* `OCTETS(column)`: the size of a text in bytes of UTF-8.
"""

from __future__ import annotations

import re
from functools import lru_cache

import orjson

_ANY_OF = re.compile(r"ANY_OF\(\$(\d+)\)")
_PAIRS = re.compile(r"PAIRS\(\$(\d+)\)")
_JSON_ROWS = re.compile(r"JSON_ROWS\(\$(\d+)\)")
_PACKED = re.compile(r"PACKED\(([\w.]+)\)")
_NUMBERS = re.compile(r"NUMBERS\(((?:[^()]|\([^()]*\))*)\)")
_OCTETS = re.compile(r"OCTETS\(([\w.]+)\)")
_PARAMETER = re.compile(r"\$(\d+)")


@lru_cache(maxsize=1024)
def for_sqlite(sql: str) -> str:
    """Translate a statement for SQLite: numbered parameters `?n`, and lists as JSON."""
    sql = _ANY_OF.sub(r"(SELECT value FROM json_each($\1))", sql)
    sql = _PAIRS.sub(r"(SELECT value->>0 AS a, value->>1 AS b FROM json_each($\1))", sql)
    sql = _JSON_ROWS.sub(r"json_each($\1)", sql)
    sql = sql.replace("NUMBERS(", "json_array(").replace("GREATEST(", "max(").replace("LEAST(", "min(")
    sql = _PACKED.sub(r"CAST(group_concat(\1, '') AS BLOB)", sql)
    sql = _OCTETS.sub(r"length(CAST(\1 AS BLOB))", sql)
    return _PARAMETER.sub(r"?\1", sql)


@lru_cache(maxsize=1024)
def for_postgres(sql: str) -> str:
    """Translate a statement for PostgreSQL: arrays for lists of integers, and JSON for lists of tuples."""
    sql = _ANY_OF.sub(r"(SELECT unnest($\1::bigint[]))", sql)
    pairs = r"(SELECT (value->>0)::bigint AS a, (value->>1)::bigint AS b FROM json_array_elements($\1::text::json))"
    sql = _PAIRS.sub(pairs, sql)
    sql = _JSON_ROWS.sub(r"json_array_elements($\1::text::json)", sql)
    # `json_build_array` would take twice as long.
    sql = _NUMBERS.sub(lambda found: f"format('[{','.join(['%s'] * (found[1].count(',') + 1))}]', {found[1]})", sql)
    sql = _PACKED.sub(r"convert_to(string_agg(\1, ''), 'UTF8')", sql)
    return _OCTETS.sub(r"octet_length(\1)", sql)


def sqlite_parameter(value: object) -> object:
    """Convert a parameter for SQLite: lists become JSON."""
    return orjson.dumps(value).decode() if isinstance(value, (list, tuple)) else value


def postgres_parameter(value: object) -> object:
    """Convert a parameter for PostgreSQL: lists of tuples become JSON, lists of integers stay arrays."""
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], (list, tuple)):
        return orjson.dumps(value).decode()
    return value
