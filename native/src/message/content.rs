//! The rules of a message's content.

use std::borrow::Cow;

use crate::error::FieldErrors;

/// Maximum length of a content, in Unicode scalar values.
pub const MAX_CHARACTERS: usize = 4000;
/// JSON Pointer of the errors of a content.
pub const POINTER: &str = "/content";

/// A valid content. It borrows from the body unless the body escapes a character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content<'a>(Cow<'a, str>);

impl<'a> Content<'a> {
    /// Checks `text`. Returns `None` if this added errors.
    #[must_use]
    pub fn check(text: Cow<'a, str>, errors: &mut FieldErrors) -> Option<Self> {
        if text.is_empty() {
            errors.push(POINTER, "empty", "must not be empty");
            return None;
        }
        // A text has at most as many characters as bytes, so most texts need no count.
        let is_too_long = text.len() > MAX_CHARACTERS && text.chars().count() > MAX_CHARACTERS;
        if is_too_long {
            let characters = text.chars().count();
            errors.push(POINTER, "too_long", format!("{characters} characters; at most {MAX_CHARACTERS}"));
        }
        let forbidden = find_forbidden(&text);
        if let Some((before, character)) = forbidden {
            let detail = format!("U+{:04X} as character {}", u32::from(character), before + 1);
            errors.push(POINTER, "control_character", detail);
        }
        // Rust's white space is the Unicode property White_Space, as the rule requires.
        let is_blank = text.chars().all(char::is_whitespace);
        if is_blank {
            errors.push(POINTER, "blank", "must not be only white space");
        }
        (!is_too_long && forbidden.is_none() && !is_blank).then_some(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns the first forbidden character, and the number of characters before it.
fn find_forbidden(text: &str) -> Option<(usize, char)> {
    if !may_contain_forbidden(text.as_bytes()) {
        return None;
    }
    text.chars().enumerate().find(|&(_, character)| is_forbidden(character))
}

/// Whether `character` has the category Cc and is not a tab, newline or carriage return.
fn is_forbidden(character: char) -> bool {
    character.is_control() && !matches!(character, '\t' | '\n' | '\r')
}

/// Whether there is a C0 control, DEL, or the first byte of U+0080-U+00BF.
#[expect(clippy::needless_bitwise_bool, reason = "the compiler vectorizes the loop only without branches")]
fn may_contain_forbidden(bytes: &[u8]) -> bool {
    let is_suspicious = |byte: u8| ((byte < 0x20) & (byte != b'\n')) | (byte == 0x7f) | (byte == 0xc2);
    bytes.iter().fold(false, |any, &byte| any | is_suspicious(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the codes of the errors of a content.
    fn codes(content: &str) -> Vec<&'static str> {
        let mut errors = FieldErrors::default();
        let checked = Content::check(Cow::Borrowed(content), &mut errors);
        assert_eq!(checked.is_some(), errors.is_empty());
        errors.as_slice().iter().map(|error| error.code).collect()
    }

    #[test]
    fn length_counts_characters_not_bytes() {
        for character in ["a", "é", "語", "😀"] {
            assert_eq!(codes(&character.repeat(MAX_CHARACTERS)), [""; 0]);
            assert_eq!(codes(&character.repeat(MAX_CHARACTERS + 1)), ["too_long"]);
        }
        assert_eq!(codes(""), ["empty"]);
    }

    #[test]
    fn the_only_allowed_control_characters_are_tab_newline_and_carriage_return() {
        for number in (0..0x20).chain(0x7f..0xa0) {
            let character = char::from(number);
            let expected: &[&str] = if "\t\n\r".contains(character) { &[] } else { &["control_character"] };
            assert_eq!(codes(&format!("a{character}")), expected, "U+{number:04X}");
        }
    }

    #[test]
    fn blank_means_unicode_white_space() {
        for blank in [" ", "\t\r\n ", "\u{a0}", "\u{1680}", "\u{2003}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}"] {
            assert_eq!(codes(blank), ["blank"], "{blank:?}");
        }
        assert_eq!(codes("\u{85}"), ["control_character", "blank"]);
        assert_eq!(codes("\u{1c}"), ["control_character"]);
        for visible in ["\u{200b}", "\u{feff}", "\u{2060}", "\u{180e}", " .", "\u{ad}"] {
            assert_eq!(codes(visible), [""; 0], "{visible:?}");
        }
    }

    #[test]
    fn the_position_of_a_control_character_counts_characters() {
        let mut errors = FieldErrors::default();
        assert_eq!(Content::check(Cow::Borrowed("é😀\n\u{7}\u{1}"), &mut errors), None);
        assert_eq!(errors.as_slice().first().map(|error| error.detail.as_ref()), Some("U+0007 as character 4"));
    }
}
