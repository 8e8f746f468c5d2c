"""Checks of the texts that people enter about themselves.

Texts are stored as entered. Each check returns its errors, so that a response contains all errors of a request.
"""

from __future__ import annotations

import itertools
import re
import zoneinfo
from collections.abc import Collection
from functools import lru_cache

from fechatter.canonical.names import MARKS_ON_ONE_CHARACTER, has_too_many_marks, is_of_word, key_of
from fechatter.errors import FieldError, Invalid

FULLNAME_CHARACTERS = 100
WORKSPACE_CHARACTERS = 64
HANDLE_CHARACTERS = 32
SLUG_CHARACTERS = 64

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}")


def refuse(errors: list[FieldError]) -> None:
    """Raise Invalid if there are errors."""
    if errors:
        raise Invalid(errors)


def handle_errors(pointer: str, text: str) -> list[FieldError]:
    """Return the errors of a handle: one word of letters, digits and `. _ -`, with a letter or digit first."""
    if len(text) > HANDLE_CHARACTERS:
        return [FieldError(pointer, "too_long", f"At most {HANDLE_CHARACTERS} characters.")]
    if not text[:1].isalnum() or not all(is_of_word(character) or character in "._-" for character in text):
        return [FieldError(pointer, "invalid_handle", "Letters, digits and . _ - only, a letter or digit first.")]
    if has_too_many_marks(text):
        detail = f"At most {MARKS_ON_ONE_CHARACTER} combining marks on one character."
        return [FieldError(pointer, "too_many_marks", detail)]
    return []


def timezone_errors(pointer: str, text: str | None) -> list[FieldError]:
    if text is None or text in known_timezones():
        return []
    return [FieldError(pointer, "invalid_timezone", "Use a name of the time zone database, such as Europe/Zurich.")]


@lru_cache(maxsize=1)
def known_timezones() -> frozenset[str]:
    """Return the time zones and their older names, from this machine's database and the package `tzdata`."""
    # These two are not places, and browsers refuse them.
    return frozenset(zoneinfo.available_timezones()) - {"localtime", "Factory"}


def language_errors(pointer: str, text: str | None) -> list[FieldError]:
    if text is None or _LANGUAGE.fullmatch(text):
        return []
    return [FieldError(pointer, "invalid_language", "Use a language tag, such as en or pt-BR.")]


def slug_of(name: str) -> str:
    """Return a workspace's name as one word for URLs; empty if the name has no letter or digit."""
    words = "".join(character if is_of_word(character) else " " for character in key_of(name)).split()
    return "-".join(words)[:SLUG_CHARACTERS].rstrip("-")


def free_slug(base: str, taken: Collection[str]) -> str:
    """Return the first of `base`, `base-2`, `base-3` … that is not taken."""
    suffixes = itertools.chain([""], (f"-{number}" for number in itertools.count(2)))
    slugs = (base[: SLUG_CHARACTERS - len(suffix)].rstrip("-") + suffix for suffix in suffixes)
    return next(slug for slug in slugs if slug not in taken)


def handle_of(fullname: str, email: str) -> str:
    """Return a handle for a new person, made from the name or the e-mail address. Another person may have it."""
    for text in (fullname, email.partition("@")[0]):
        handle = ".".join(slug_of(text).split("-"))[: HANDLE_CHARACTERS - 8].strip(".")
        if handle and not handle_errors("", handle):
            return handle
    return "user"
