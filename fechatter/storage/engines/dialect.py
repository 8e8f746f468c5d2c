"""Translates the SQL of this program to each engine. Only parameters and these three functions differ:

* `ANY_OF($n)`: the rows of a list of integers.
* `PAIRS($n)`: a table (a, b) from a list of integer pairs.
* `JSON_ROWS($n)`: a table from a list of tuples, with one column `value`. The first element is `value->>0`, to be cast
  to its type.
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
    """Translate a statement for SQLite: numbered parameters `?n`, and lists as JSON."""
    sql = _ANY_OF.sub(r"(SELECT value FROM json_each($\1))", sql)
    sql = _PAIRS.sub(r"(SELECT value->>0 AS a, value->>1 AS b FROM json_each($\1))", sql)
    sql = _JSON_ROWS.sub(r"json_each($\1)", sql)
    return _PARAMETER.sub(r"?\1", sql)


@lru_cache(maxsize=1024)
def for_postgres(sql: str) -> str:
    """Translate a statement for PostgreSQL: arrays for lists of integers, and JSON for lists of tuples."""
    sql = _ANY_OF.sub(r"(SELECT unnest($\1::bigint[]))", sql)
    pairs = r"(SELECT (value->>0)::bigint AS a, (value->>1)::bigint AS b FROM json_array_elements($\1::text::json))"
    sql = _PAIRS.sub(pairs, sql)
    return _JSON_ROWS.sub(r"json_array_elements($\1::text::json)", sql)


def sqlite_parameter(value: object) -> object:
    """Convert a parameter for SQLite: lists become JSON."""
    return orjson.dumps(value).decode() if isinstance(value, (list, tuple)) else value


def postgres_parameter(value: object) -> object:
    """Convert a parameter for PostgreSQL: lists of tuples become JSON, lists of integers stay arrays."""
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], (list, tuple)):
        return orjson.dumps(value).decode()
    return value
