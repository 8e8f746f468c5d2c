"""The canonical form of e-mail addresses.

Browsers send an international domain as `xn--…`, other programs send it in its own script. The domain is stored in
ASCII (IDNA 2008 with the mapping of UTS #46) and in lower case. The local part is stored as typed.
"""

from __future__ import annotations

import re
from typing import Final

import idna

from fechatter.canonical.names import key_of
from fechatter.errors import FieldError

EMAIL_CHARACTERS: Final = 254
DOMAIN_CHARACTERS: Final = 253

_LOCAL = re.compile(r"[^\s@]{1,64}")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


def email_errors(pointer: str, text: str) -> list[FieldError]:
    """Return the errors of an e-mail address."""
    if max(len(text), len(key_of(text[: EMAIL_CHARACTERS + 1]))) > EMAIL_CHARACTERS:
        return [FieldError(pointer, "too_long", f"At most {EMAIL_CHARACTERS} characters.")]
    found = canonical_email(text)
    if found is None:
        return [FieldError(pointer, "invalid_email", "Enter a valid e-mail address.")]
    if max(len(found), len(email_key(found))) > EMAIL_CHARACTERS:
        return [FieldError(pointer, "too_long", f"At most {EMAIL_CHARACTERS} characters.")]
    return []


def canonical_email(text: str) -> str | None:
    """Return the address in its stored form, or None if it is not an e-mail address."""
    local, _, domain = text.rpartition("@")
    if not text.isprintable() or not _LOCAL.fullmatch(local) or not _LOCAL.fullmatch(key_of(local)):
        return None
    try:
        return f"{local}@{_ascii_domain(domain)}"
    except (idna.IDNAError, UnicodeError, ValueError):
        return None


def email_key(text: str) -> str:
    """Return the key that finds an account. For a text that is not an e-mail address, return its case-folded form."""
    return key_of(canonical_email(text) or text)


def old_email_keys(text: str) -> tuple[str, str]:
    """Return the keys under which earlier versions stored the address: as typed, and with the domain in its own script.

    An account keeps such a key only if another account in its workspace has the canonical key.
    """
    local, _, domain = email_key(text).rpartition("@")
    return key_of(text), f"{local}@{_unicode_domain(domain)}"


def _ascii_domain(domain: str) -> str:
    """Raises ValueError (idna.IDNAError is a subclass): the text is not a domain."""
    ascii_domain = domain.lower() if domain.isascii() else idna.encode(domain, uts46=True, transitional=False).decode()
    labels = ascii_domain.split(".")
    if len(ascii_domain) > DOMAIN_CHARACTERS or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError(domain)
    for label in labels:
        if label.startswith("xn--") and idna.encode(idna.decode(label)).decode() != label:
            raise ValueError(domain)
    return ascii_domain


def _unicode_domain(domain: str) -> str:
    try:
        return key_of(idna.decode(domain)) if "xn--" in domain else domain
    except (idna.IDNAError, UnicodeError):
        return domain
