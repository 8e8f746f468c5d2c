"""A status has exactly one emoji or other visible character."""

from __future__ import annotations

import pytest

from fechatter.canonical.graphemes import is_one_grapheme


@pytest.mark.parametrize(
    "text",
    [
        *("🌴", "😀", "☎", "☎️", "❤️", "✈️", "a", "字", "é", "e\u0301", "?", "한", "ก็"),
        *("👍🏽", "👩🏽‍🚀", "👨‍👩‍👧‍👦", "❤️‍🔥", "🏳️‍🌈", "🏳️‍⚧️", "👁️‍🗨️", "🤷🏾‍♀️", "1️⃣", "#️⃣", "‼️"),
        *("🇨🇭", "🇺🇸", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"),
    ],
)
def test_one_emoji_or_character_is_one_grapheme(text: str) -> None:
    assert is_one_grapheme(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "\n", "\u200b", "\u200d", "\ufe0f", "\u3164", "\u202e", "\ud800", "\u0301"),
        *("ab", "😀😀", "🌴a", "a🌴", "🇨🇭🇺🇸", "🇨", "🇨a", "😀\u200d", "a\u200db", "字\u200d字", "a🏽", "😀\u202e"),
        *("a" + "\u0301" * 12, "👍" + "🏽" * 40, "🌴" + "\U000e0067"),
    ],
)
def test_anything_else_is_not(text: str) -> None:
    assert not is_one_grapheme(text)
