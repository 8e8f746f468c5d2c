"""Decodes text from keyboards, pipes and files: UTF-8, with or without a byte order mark."""

import codecs

_OTHER_ENCODINGS = (
    # UTF-32 comes first, because its mark begins with UTF-16's.
    ("UTF-32", (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)),
    ("UTF-16", (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)),
)


def text_of(data: bytes) -> str:
    """Decode UTF-8 without its byte order mark. Raises ValueError: the text has another encoding."""
    for encoding, marks in _OTHER_ENCODINGS:
        if data.startswith(marks):
            raise ValueError(f"it is encoded as {encoding}; save it as UTF-8")
    if b"\0" in data:
        raise ValueError("it contains zero bytes; save it as UTF-8 text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"it is not UTF-8 (byte {data[error.start]:#04x} at offset {error.start}); save it as UTF-8"
        ) from error


def is_text(text: str) -> bool:
    """Whether a string is Unicode text. An argument that was not UTF-8 contains halves of surrogate pairs."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
