"""The functions of `fechatter._native` in plain Python: reference of the property tests and baseline of the benches."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable
from json.decoder import JSONObject  # type: ignore[attr-defined]
from json.scanner import py_make_scanner  # type: ignore[attr-defined]
from typing import Any

import msgspec

from fechatter import model
from fechatter.events import EventType, MessageData
from fechatter.frames import encode_block, event_object
from fechatter.storage import messages

MAX_CHARACTERS = 4000
MAX_KEY_CHARACTERS = 64
MAX_MESSAGES = 100
MAX_DEPTH = 32
MAX_ERRORS = 16
MAX_NAME_CHARACTERS = 64

# Unicode's White_Space property; str.isspace also counts U+001C-U+001F.
WHITE_SPACE = {chr(number) for number in [*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B)]}
WHITE_SPACE |= {"\u2028", "\u2029", "\u202f", "\u205f", "\u3000"}
CANONICAL_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

Errors = list[tuple[str, str, str]]
Message = tuple[str, str | None, str | None]
"""Content, idempotency key, and the source of the extras."""


class NotJson(Exception):
    """The body is not JSON; args: (code,)."""


class InvalidBody(Exception):
    """The body is not a valid message; args: (errors,)."""


class Object(list[tuple[str, Any]]):
    """The members of a JSON object in order, with repeated names.

    Attributes:
        source: The text of the object, if `SOURCE_DECODER` decoded it.
    """

    source = ""


def parse_message(body: bytes, header_key: str | None = None, extras_allowed: bool = False) -> Message:
    """Parse and check the body of one message."""
    return check_message(decode(body, extras_allowed), header_key, extras_allowed)


def parse_batch(body: bytes, extras_allowed: bool = False) -> list[Message | Errors]:
    """Parse `{"messages": [...]}`; returns each message or its errors."""
    value = decode(body, extras_allowed)
    if not isinstance(value, Object):
        raise InvalidBody([("", "invalid_type", "must be an object")])
    errors: Errors = []
    messages: list[Any] | None = None
    for name, item in value:
        if name != "messages":
            errors.append((pointer(name), "unknown_field", "no such field"))
        elif messages is not None:
            errors.append(("/messages", "duplicate_field", "given twice"))
        else:
            messages = check_messages(item, errors)
    if messages is None:
        errors.append(("/messages", "missing", "required"))
    if errors or messages is None:
        raise InvalidBody(errors[:MAX_ERRORS])
    return [outcome(message, extras_allowed) for message in messages]


def check_messages(value: Any, errors: Errors) -> list[Any]:
    """Return the messages; add an error if there are none or too many."""
    if isinstance(value, Object) or not isinstance(value, list):
        errors.append(("/messages", "invalid_type", "must be a list"))
        return []
    if not value:
        errors.append(("/messages", "empty", "must not be empty"))
    if len(value) > MAX_MESSAGES:
        errors.append(("/messages", "too_many", f"{len(value)} messages; at most {MAX_MESSAGES}"))
    return value


def outcome(value: Any, extras_allowed: bool) -> Message | Errors:
    """Return the message or its errors."""
    try:
        return check_message(value, None, extras_allowed)
    except InvalidBody as invalid:
        errors: Errors = invalid.args[0]
        return errors


def decode(body: bytes, with_sources: bool = False) -> Any:
    """Return the JSON value of `body`, with objects as `Object` and numbers as 0."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise NotJson("malformed_utf8", f"not UTF-8 at byte {error.start}") from error
    try:
        value = (SOURCE_DECODER if with_sources else DECODER).decode(text)
    except (ValueError, RecursionError) as error:
        raise NotJson("malformed_json") from error
    if depth(value) > MAX_DEPTH:
        raise NotJson("malformed_json")
    return value


def refuse_constant(name: str) -> None:
    """Refuse NaN and the infinities, which are not JSON but which Python's decoder accepts."""
    raise ValueError(name)


class Decoder(json.JSONDecoder):
    """Decodes objects as `Object`."""

    def __init__(self) -> None:
        super().__init__(
            object_pairs_hook=Object, parse_constant=refuse_constant, parse_int=lambda _: 0, parse_float=lambda _: 0
        )


class SourceDecoder(Decoder):
    """Also stores the source of each object. Python's own scanner is slower than the one in C, but calls back."""

    def __init__(self) -> None:
        super().__init__()
        self.parse_object = self._parse_object
        self.scan_once = py_make_scanner(self)

    def _parse_object(self, text_and_start: tuple[str, int], *arguments: Any) -> tuple[Object, int]:
        text, start = text_and_start
        found, end = JSONObject(text_and_start, *arguments)
        found.source = text[start - 1 : end]
        return found, end


DECODER = Decoder()
SOURCE_DECODER = SourceDecoder()


def depth(value: Any) -> int:
    """Return the number of levels of lists and objects."""
    if isinstance(value, Object):
        return 1 + max((depth(item) for _, item in value), default=0)
    if isinstance(value, list):
        return 1 + max((depth(item) for item in value), default=0)
    return 0


def check_message(value: Any, header_key: str | None, extras_allowed: bool) -> Message:
    """Check one decoded message. Collects every error, in the order of the body."""
    if not isinstance(value, Object):
        raise InvalidBody([("", "invalid_type", "must be an object")])
    checks: dict[str, Callable[[Any, Errors], None]] = {"content": check_content, "idempotency_key": check_key}
    if extras_allowed:
        checks["extras"] = check_extras
    errors: Errors = []
    found: dict[str, Any] = {}
    wrong: set[str] = set()
    for name, item in value:
        if name not in checks:
            errors.append((pointer(name), "unknown_field", "no such field"))
        elif name in found:
            errors.append((pointer(name), "duplicate_field", "given twice"))
        else:
            found[name] = item
            before = len(errors)
            checks[name](item, errors)
            if len(errors) > before:
                wrong.add(name)
    if "content" not in found:
        errors.append(("/content", "missing", "required"))
    key = found.get("idempotency_key")
    if "idempotency_key" not in wrong:
        key = join_keys(key, header_key, errors)
    if errors:
        raise InvalidBody(errors[:MAX_ERRORS])
    extras = found["extras"].source.translate({ord("\n"): None, ord("\r"): None}) if "extras" in found else None
    return found["content"], key, extras


def join_keys(body_key: str | None, header_key: str | None, errors: Errors) -> str | None:
    """Return the key of the body or the header."""
    if body_key is None:
        check_key(header_key, errors)
        return header_key
    if header_key not in (None, body_key):
        errors.append(("/idempotency_key", "key_mismatch", "differs from the Idempotency-Key header"))
    return body_key


def check_content(value: Any, errors: Errors) -> None:
    """Add the errors of a content."""
    if not isinstance(value, str):
        errors.append(("/content", "invalid_type", "must be a string"))
    elif has_surrogate(value):
        errors.append(("/content", "invalid_character", "a lone surrogate is not a character"))
    elif not value:
        errors.append(("/content", "empty", "must not be empty"))
    else:
        if len(value) > MAX_CHARACTERS:
            errors.append(("/content", "too_long", f"{len(value)} characters; at most {MAX_CHARACTERS}"))
        for place, character in enumerate(value, 1):
            if unicodedata.category(character) == "Cc" and character not in "\t\n\r":
                detail = f"U+{ord(character):04X} as character {place}"
                errors.append(("/content", "control_character", detail))
                break
        if WHITE_SPACE.issuperset(value):
            errors.append(("/content", "blank", "must not be only white space"))


def check_key(value: Any, errors: Errors) -> None:
    """Add the errors of an idempotency key."""
    if value is None:
        return
    if not isinstance(value, str):
        errors.append(("/idempotency_key", "invalid_type", "must be a string or null"))
    elif (
        not 1 <= len(value) <= MAX_KEY_CHARACTERS
        or has_surrogate(value)
        or any(unicodedata.category(character) == "Cc" for character in value)
    ):
        detail = "must be 1 to 64 characters without control characters"
        errors.append(("/idempotency_key", "invalid_key", detail))


def check_extras(value: Any, errors: Errors) -> None:
    """Add the errors of extras."""
    if not isinstance(value, Object):
        errors.append(("/extras", "invalid_type", "must be an object"))


def pointer(name: str) -> str:
    """Return the JSON Pointer to a field, as the error shows it."""
    # Each of the three bytes that encode a surrogate is invalid UTF-8.
    shown = "".join(3 * "\ufffd" if has_surrogate(character) else character for character in name)
    return "/" + shown[:MAX_NAME_CHARACTERS].replace("~", "~0").replace("/", "~1")


def has_surrogate(text: str) -> bool:
    """Whether the text contains a surrogate."""
    return any("\ud800" <= character <= "\udfff" for character in text)


def stored_key(key: str) -> bytes:
    """Return the 16 bytes of a canonical UUID, otherwise UTF-8 padded with NUL to at least 17 bytes."""
    if CANONICAL_UUID.fullmatch(key):
        return bytes.fromhex(key.replace("-", ""))
    return key.encode().ljust(17, b"\0")


def fingerprint(content: str, extras: str | None = None) -> int:
    """Return the first 8 bytes of the SHA-256, big endian, signed."""
    text = content if extras is None else f"{content}\0{extras}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big", signed=True)


def encode(
    chat_id: int, sender_id: int, message: Message, stored: tuple[int, int, int, int], created_at: str, epoch: str
) -> tuple[bytes, bytes]:
    """Return the answer and the frame of one message, made from the types that define them.

    `stored` is (id, number, sequence, workspace id).
    """
    message_id, number, sequence, workspace_id = stored
    content, key, extras = message
    shown = model.Message(
        model.MessageId(message_id),
        model.ChatId(chat_id),
        number,
        model.UserId(sender_id),
        content,
        1,
        created_at,
        None,
        None,
        messages.stored_extras(extras),
    )
    data = MessageData(shown)
    event = event_object(workspace_id, sequence, EventType.MESSAGE_CREATED, chat_id, created_at, data)
    answer = shown if key is None else msgspec.structs.replace(shown, idempotency_key=key)
    return model.encode(answer), encode_block(epoch, sequence, EventType.MESSAGE_CREATED, event)
