"""Names that people see: whether a name is visible, and the key that equal names share.

Both follow the Unicode properties of `unicodedata2`. Its version is newer than Python's own and the same on every
Python, because keys must not change when Python does.
"""

from __future__ import annotations

import re
from typing import Final

import unicodedata2 as unicodedata  # type: ignore[import-not-found]  # an extension without stubs

from fechatter.errors import FieldError

MARKS_ON_ONE_CHARACTER: Final = 8
"""No script needs more. A thousand marks would draw over the lines above."""

_DEFAULT_IGNORABLE: Final = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""The property Default_Ignorable_Code_Point, as a class of a regular expression; a test compares it with Node.js's."""
_BLANK: Final = "\u2800\ufffc\U00013441\U00013442\U00016fe4\U0001d159"
"""Letters and symbols that are invisible, by their Unicode names."""
_INVISIBLE: Final = re.compile(f"[{_DEFAULT_IGNORABLE}{_BLANK}]")
_REORDERING: Final = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
"""Bidirectional classes that reorder a text, so that it can look like somebody else's name."""
_SIGNS: Final = "#%&*@"
"""Characters that Unicode classifies as punctuation, but that names use as symbols."""
_SHOWN: Final = frozenset("LNPS")
"""The first letters of the visible categories: letters, numbers, punctuation, symbols."""


def name_errors(pointer: str, text: str, most: int) -> list[FieldError]:
    """Return the errors of a name that may have up to `most` characters."""
    if len(text) > most:
        return [FieldError(pointer, "too_long", f"At most {most} characters.")]
    if not is_visible(text):
        return [FieldError(pointer, "blank", "Enter at least one visible character.")]
    if has_control_characters(text) or any(unicodedata.bidirectional(character) in _REORDERING for character in text):
        return [FieldError(pointer, "control_character", "Control characters are not allowed here.")]
    if has_too_many_marks(text):
        return [
            FieldError(pointer, "too_many_marks", f"At most {MARKS_ON_ONE_CHARACTER} combining marks on one character.")
        ]
    return []


def is_visible(text: str) -> bool:
    """Whether at least one character is visible, and not a space, a mark, unassigned or private."""
    return any(unicodedata.category(character)[0] in _SHOWN for character in _INVISIBLE.sub("", text))


def is_similar(first: str, second: str) -> bool:
    """Whether two names differ only in case and punctuation: `Acme!` and `ACME` do, `C++` and `C#` do not."""
    return _without_punctuation(first) == _without_punctuation(second)


def _without_punctuation(text: str) -> str:
    kept = "".join(character if _is_significant(character) else " " for character in key_of(text))
    return " ".join(kept.split())


def _is_significant(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNMS" or character in _SIGNS


def is_of_word(character: str) -> bool:
    """Whether this is a visible letter, a digit, or a mark on one."""
    return unicodedata.category(character)[0] in "LNM" and not _INVISIBLE.fullmatch(character)


def has_control_characters(text: str, allowed: str = "") -> bool:
    """Whether `text` contains a control character (Cc) or half of a surrogate pair."""
    return any(unicodedata.category(character) in ("Cc", "Cs") for character in text if character not in allowed)


def has_too_many_marks(text: str) -> bool:
    """Whether one character carries more combining marks than any script needs."""
    marks = 0
    for character in unicodedata.normalize("NFC", text):
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks > MARKS_ON_ONE_CHARACTER:
            return True
    return False


def key_of(text: str) -> str:
    """Return the key of a name. Compatibility forms, case, spaces and invisible characters make no difference."""
    return " ".join(_folded(_folded(text).casefold()).split())


def _folded(text: str) -> str:
    # Case folding may undo a normalization, and normalization may produce an invisible character again.
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)))
