"""Texts that people type about themselves: what they may hold, and the folded keys by which they are told apart.

Texts are stored as typed. Each check returns what is wrong, so that a request's errors are told all at once.
"""

from __future__ import annotations

import re
import unicodedata

from fechatter.errors import FieldError, Invalid

EMAIL_CHARACTERS = 254
FULLNAME_CHARACTERS = 100
WORKSPACE_CHARACTERS = 64
HANDLE_CHARACTERS = 32
SLUG_CHARACTERS = 64

_REORDERING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
"""Bidirectional classes of signs that nobody sees and that show a text in another order, as one somebody else is called by."""

_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@.]+(\.[^\s@.]+)*")
_TIMEZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,3}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}")


def refuse(errors: list[FieldError]) -> None:
    """Raises Invalid when there are any."""
    if errors:
        raise Invalid(errors)


def fold(text: str) -> str:
    """The same text however it is typed: NFKC, casefold, and NFKC again because folding may undo it."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()


def name_errors(pointer: str, text: str, most: int) -> list[FieldError]:
    """What is wrong with a name of up to `most` characters."""
    if len(text) > most:
        return [FieldError(pointer, "too_long", f"At most {most} characters.")]
    categories = {unicodedata.category(character) for character in text}
    if categories & {"Cc", "Cs"} or any(unicodedata.bidirectional(character) in _REORDERING for character in text):
        return [FieldError(pointer, "control_character", "Control characters are not allowed here.")]
    if all(category[0] in "ZC" for category in categories):
        return [FieldError(pointer, "blank", "There is nothing to see in it.")]
    return []


def email_errors(pointer: str, text: str) -> list[FieldError]:
    if max(len(text), len(fold(text[: EMAIL_CHARACTERS + 1]))) > EMAIL_CHARACTERS:
        return [FieldError(pointer, "too_long", f"At most {EMAIL_CHARACTERS} characters.")]
    if not text.isprintable() or not _EMAIL.fullmatch(text) or not _EMAIL.fullmatch(fold(text)):
        return [FieldError(pointer, "invalid_email", "This is not an e-mail address.")]
    return []


def handle_errors(pointer: str, text: str) -> list[FieldError]:
    """A handle is one word: letters, digits and `. _ -`, a letter or digit first."""
    if len(text) > HANDLE_CHARACTERS:
        return [FieldError(pointer, "too_long", f"At most {HANDLE_CHARACTERS} characters.")]
    if not text[:1].isalnum() or not all(_is_of_word(character) or character in "._-" for character in text):
        return [FieldError(pointer, "invalid_handle", "Letters, digits and . _ - only, a letter or digit first.")]
    return []


def timezone_errors(pointer: str, text: str | None) -> list[FieldError]:
    if text is None or (len(text) <= 64 and _TIMEZONE.fullmatch(text)):
        return []
    return [FieldError(pointer, "invalid_timezone", "A name of the time zone database, as Europe/Zurich.")]


def language_errors(pointer: str, text: str | None) -> list[FieldError]:
    if text is None or _LANGUAGE.fullmatch(text):
        return []
    return [FieldError(pointer, "invalid_language", "A language tag, as en or pt-BR.")]


def slug_of(name: str) -> str:
    """A workspace's name as one word for addresses; empty when it holds no letter or digit."""
    words = "".join(character if _is_of_word(character) else " " for character in fold(name)).split()
    return "-".join(words)[:SLUG_CHARACTERS].rstrip("-")


def handle_of(fullname: str, email: str) -> str:
    """A first handle for somebody, without regard to who has it already."""
    for text in (fullname, email.partition("@")[0]):
        handle = ".".join(slug_of(text).split("-"))[: HANDLE_CHARACTERS - 8].strip(".")
        if handle and not handle_errors("", handle):
            return handle
    return "user"


def _is_of_word(character: str) -> bool:
    """Letters, digits, and the marks that many scripts write on them."""
    return character.isalnum() or unicodedata.category(character)[0] == "M"
