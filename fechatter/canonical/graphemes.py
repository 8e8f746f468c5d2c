"""Whether a text is one visible character, such as an emoji: what Unicode calls a grapheme cluster (UAX 29)."""

from __future__ import annotations

from typing import Final

import unicodedata2 as unicodedata  # type: ignore[import-not-found]  # an extension without stubs

from fechatter.canonical.names import has_too_many_marks, is_visible

MAX_CODE_POINTS: Final = 16
"""The longest emoji of Unicode, a family or the flag of a region, has ten."""
_EMOJI: Final = range(0x1F000, 0x20000)
_JOINER: Final = "\u200d"
_FLAG_LETTERS: Final = range(0x1F1E6, 0x1F200)
_SKIN_TONES: Final = range(0x1F3FB, 0x1F400)
_TAGS: Final = range(0xE0020, 0xE0080)
_TAGGED: Final = "\U0001f3f4"
"""The black flag, which tags turn into the flag of a region."""


def is_one_grapheme(text: str) -> bool:
    """Whether `text` is one visible character with its marks, or one emoji: also a flag, or several joined emoji."""
    if not text or len(text) > MAX_CODE_POINTS or not is_visible(text[0]) or has_too_many_marks(text):
        return False
    if ord(text[0]) in _FLAG_LETTERS:
        return len(text) == 2 and ord(text[1]) in _FLAG_LETTERS
    return all(_continues(text, place) for place in range(1, len(text)))


def _continues(text: str, place: int) -> bool:
    """Whether the character at `place` belongs to the characters before it."""
    character, before = text[place], text[place - 1]
    if before == _JOINER:
        return _is_symbol(character)
    if character == _JOINER:
        return place + 1 < len(text) and _is_symbol(text[0])
    if ord(character) in _SKIN_TONES:
        return _is_symbol(before)
    if ord(character) in _TAGS:
        return text[0] == _TAGGED
    return unicodedata.category(character) in ("Mn", "Mc", "Me")


def _is_symbol(character: str) -> bool:
    return unicodedata.category(character) in ("So", "Sk", "Sm", "Po") or ord(character) in _EMOJI
