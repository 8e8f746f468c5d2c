"""The canonical form of e-mail addresses."""

from __future__ import annotations

import pytest

from fechatter.canonical.emails import canonical_email, email_errors, email_key, old_email_keys


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("ada@bu\u0308cher.example", "ada@xn--bcher-kva.example"),
        ("ada@XN--BCHER-KVA.Example", "ada@xn--bcher-kva.example"),
        ("ada@bücher。example", "ada@xn--bcher-kva.example"),
        ("ada@ｅｘａｍｐｌｅ．org", "ada@example.org"),
        ("ada@exam\u00adple.org", None),
        ("ada@faß.example", "ada@xn--fa-hia.example"),
        ("ada@例え.テスト", "ada@xn--r8jz45g.xn--zckzah"),
        ("Ada@Example.ORG", "Ada@example.org"),
        ("ada@localhost", "ada@localhost"),
        ("李雷@例え.テスト", "李雷@xn--r8jz45g.xn--zckzah"),
    ],
)
def test_an_address_has_one_canonical_form(typed: str, stored: str | None) -> None:
    assert canonical_email(typed) == stored
    assert stored is None or email_key(typed) == email_key(stored)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "@example.org",
        "ada@",
        "ada@.org",
        "ada@example..org",
        "ada@example.org.",
        "ada@-example.org",
        "ada@xn--a.example",
        "ada@" + "x" * 64 + ".org",
        "ada@" + "x." * 100,
        "ada@😀.example",
        "ada@\u200b.example",
        "ada@exa mple.org",
        "a b@example.org",
        "ada@bob@example.org",
        "ada@exam/ple.org",
        "ada@[127.0.0.1]",
        "a\u200bda@example.org",
    ],
)
def test_an_invalid_address_is_refused(text: str) -> None:
    assert [error.code for error in email_errors("/email", text)] == ["invalid_email"]


def test_an_address_stored_by_an_earlier_version_is_still_found() -> None:
    assert set(old_email_keys("Ada@xn--bcher-kva.example")) == {"ada@xn--bcher-kva.example", "ada@bücher.example"}
    assert "ada@bücher.example" in old_email_keys("ada@bücher.example")
