"""Request bodies for property tests: valid, invalid and almost JSON."""

import json
from typing import Any

from hypothesis import strategies as st

NAMES = ["content", "idempotency_key", "extras", "messages", "Content", "a/b~c", "", "\ud800"]
CONTROLS = {chr(number) for number in [*range(0x20), *range(0x7F, 0xA0)]} - set("\t\n\r")
TRICKY = '\0\t\n\r\x0b\x1c\x1f "/\\~\x7f\x80\x85\x9f\xa0é\u1680\u180e\u200b\u2028\u3000\ufeff\ufffd\uffff語😀'
SURROGATES = "\ud800\udbff\udc00\udfff"


def is_allowed(character: str) -> bool:
    """Whether a content may contain the character."""
    return character not in CONTROLS and not "\ud800" <= character <= "\udfff"


tricky_text = st.text(st.sampled_from(TRICKY + SURROGATES) | st.characters(), max_size=40)
long_lengths = st.integers(63, 66) | st.integers(3999, 4001)
long_text = st.builds(str.__mul__, st.sampled_from(["a", "é", "語", "😀", "\n", " "]), long_lengths)
texts = tricky_text | long_text
valid_texts = texts.map(lambda text: "".join(filter(is_allowed, text)))
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts


class Members(list[tuple[str, Any]]):
    """The members of an object, which may contain a name twice."""


def members(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Members]:
    """Objects that mostly have the field names of messages."""
    names = st.sampled_from(NAMES) | tricky_text
    return st.lists(st.tuples(names, inner), max_size=4).map(Members)


values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | members(inner), max_leaves=8)


def write(value: Any, ascii_only: bool, space: str) -> str:
    """Return the JSON text of a value; `space` is the white space between tokens."""
    if isinstance(value, Members):
        pairs = (f"{write(name, ascii_only, space)}{space}:{write(item, ascii_only, space)}" for name, item in value)
        return "{" + space + f"{space},".join(pairs) + space + "}"
    if isinstance(value, list):
        return "[" + f",{space}".join(write(item, ascii_only, space) for item in value) + space + "]"
    return json.dumps(value, ensure_ascii=ascii_only)


@st.composite
def written(draw: st.DrawFn, value: st.SearchStrategy[Any]) -> bytes:
    """The bytes of a JSON text. A lone surrogate that is not escaped makes them invalid UTF-8."""
    text = write(draw(value), draw(st.booleans()), draw(st.sampled_from(["", " ", "\r\n\t"])))
    return text.encode(errors="surrogatepass")


@st.composite
def damaged(draw: st.DrawFn, body: st.SearchStrategy[bytes]) -> bytes:
    """A body with some bytes replaced, inserted or removed."""
    found = draw(body)
    start = draw(st.integers(0, len(found)))
    end = draw(st.integers(start, min(start + 3, len(found))))
    inserted = draw(
        st.binary(max_size=3) | st.sampled_from([b"\\", b'"', b",", b"}", b"\\ud83d", b"\\u", b"0", b"NaN"])
    )
    return found[:start] + inserted + found[end:]


ORDERS = [
    ["content"],
    ["content", "idempotency_key"],
    ["idempotency_key", "content"],
    ["content", "extras"],
    ["extras", "idempotency_key", "content"],
]


def fields(
    content: st.SearchStrategy[Any], key: st.SearchStrategy[Any], extras: st.SearchStrategy[Any]
) -> st.SearchStrategy[Members]:
    """Messages with a content and any of the optional fields, in any order."""
    drawn = st.fixed_dictionaries({"content": content, "idempotency_key": key, "extras": extras})
    return st.builds(
        lambda found, names: Members((name, found[name]) for name in names), drawn, st.sampled_from(ORDERS)
    )


keys = st.none() | st.uuids().map(str) | st.sampled_from(["a", "é" * 64, "a" * 65, "\x7f", ""]) | tricky_text
likely_messages = fields(valid_texts, keys, members(values))
any_messages = likely_messages | fields(values, values, values) | values
message_bodies = written(any_messages)
batch_bodies = written(
    st.lists(any_messages, max_size=4).map(lambda messages: Members([("messages", messages)]))
    | st.integers(99, 102).map(lambda count: Members([("messages", [Members([("content", "a")])] * count)]))
    | values
)
any_message_body = message_bodies | damaged(message_bodies) | st.binary(max_size=60)
any_batch_body = batch_bodies | damaged(batch_bodies)
