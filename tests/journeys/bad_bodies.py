"""Invalid message bodies, named after their fault."""

from __future__ import annotations

import orjson

DEEP = b'{"content":' + b"[" * 20_000 + b"]" * 20_000 + b"}"

MALFORMED = {
    "nothing": b"",
    "half an object": b'{"content": "a"',
    "a text that is not JSON": b"hello",
    "two values": b'{"content": "a"} {}',
    "a comment": b'{"content": "a"} // b',
    "NaN": b'{"content": NaN}',
    "a leading zero": b'{"content": 01}',
    "single quotes": b"{'content': 'a'}",
    "a raw newline in a string": b'{"content": "a\nb"}',
    "a byte order mark": b'\xef\xbb\xbf{"content": "a"}',
    "deep nesting": DEEP,
    "invalid UTF-8": b'{"content": "\xff\xfe"}',
    "overlong UTF-8": b'{"content": "\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"content": "\xed\xa0\x80"}',
}
"""Bodies that are not JSON in UTF-8."""

INVALID = {
    "an empty object": (b"{}", "/content", "missing"),
    "a list": (b"[]", "", "invalid_type"),
    "null": (b"null", "", "invalid_type"),
    "a number": (b'{"content": 1}', "/content", "invalid_type"),
    "a very long number": (b'{"content": ' + b"9" * 5_000 + b"}", "/content", "invalid_type"),
    "an object for a text": (b'{"content": {"$ne": ""}}', "/content", "invalid_type"),
    "a list for a text": (b'{"content": ["a"]}', "/content", "invalid_type"),
    "null for a text": (b'{"content": null}', "/content", "invalid_type"),
    "an unknown field": (b'{"content": "a", "sender_id": 1}', "/sender_id", "unknown_field"),
    "a field twice": (b'{"content": "a", "content": "b"}', "/content", "duplicate_field"),
    "an empty text": (b'{"content": ""}', "/content", "empty"),
    "white space": (b'{"content": " \\u2003\\n"}', "/content", "blank"),
    "too many characters": (orjson.dumps({"content": "\U0001f980" * 4_001}), "/content", "too_long"),
    "NUL": (b'{"content": "a\\u0000b"}', "/content", "control_character"),
    "an escape character": (b'{"content": "a\\u001bb"}', "/content", "control_character"),
    "half a surrogate pair": (b'{"content": "a\\ud800b"}', "/content", "invalid_character"),
    "a surrogate pair backwards": (b'{"content": "\\udc00\\ud800"}', "/content", "invalid_character"),
}
"""Valid JSON with an invalid field: the pointer to the field and the expected code."""

INVALID_KEYS = {
    "an empty key": (b'{"content": "a", "idempotency_key": ""}', "invalid_key"),
    "a key of 65 characters": (b'{"content": "a", "idempotency_key": "' + b"k" * 65 + b'"}', "invalid_key"),
    "a key with NUL": (b'{"content": "a", "idempotency_key": "\\u0000"}', "invalid_key"),
    "a number as key": (b'{"content": "a", "idempotency_key": 7}', "invalid_type"),
}
"""Invalid idempotency keys and the expected code."""
