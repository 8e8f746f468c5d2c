//! The rules of a message's content.

use super::text::Text;
use crate::error::FieldErrors;

/// The longest content, in Unicode scalar values.
pub const MAX_CHARACTERS: usize = 4000;

const POINTER: &str = "/content";

/// Content that keeps every rule, still in the body that brought it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content<'a> {
    text: Text<'a>,
    bytes: usize,
}

impl<'a> Content<'a> {
    /// Checks `text`; `None` when something was added to `errors`.
    #[must_use]
    pub fn check(text: Text<'a>, errors: &mut FieldErrors) -> Option<Self> {
        let mut seen = Seen::default();
        if text.pieces(|piece| seen.add(piece)).is_err() {
            errors.push(POINTER, "invalid_character", "a lone surrogate is not a character");
            return None;
        }
        seen.is_valid(errors).then_some(Self { text, bytes: seen.bytes })
    }

    /// Its length as UTF-8.
    #[must_use]
    pub fn len_bytes(self) -> usize {
        self.bytes
    }

    /// Appends it to `arena`: the one copy between the body and the batch.
    pub fn append_to(self, arena: &mut String) {
        self.each_piece(|piece| arena.push_str(piece));
    }

    /// Calls `each` with every piece of the decoded text, in order.
    pub(super) fn each_piece(self, each: impl FnMut(&str)) {
        self.text.pieces(each).expect("`check` refuses lone surrogates");
    }
}

/// Whether `character` is of the category Cc and none of tab, newline and carriage return.
fn is_forbidden(character: char) -> bool {
    character.is_control() && !matches!(character, '\t' | '\n' | '\r')
}

/// What one pass over a content's pieces tells.
#[derive(Debug, Default)]
struct Seen {
    bytes: usize,
    characters: usize,
    visible: bool,
    forbidden: Option<(char, usize)>,
}

impl Seen {
    fn add(&mut self, piece: &str) {
        if self.forbidden.is_none() && may_hold_forbidden(piece.as_bytes()) {
            let found = piece.chars().enumerate().find(|&(_, character)| is_forbidden(character));
            self.forbidden = found.map(|(before, character)| (character, self.characters + before + 1));
        }
        // Rust's white space is Unicode's White_Space, which is the rule.
        self.visible = self.visible || !piece.chars().all(char::is_whitespace);
        self.bytes += piece.len();
        self.characters += piece.chars().count();
    }

    /// Adds what is wrong to `errors`.
    fn is_valid(&self, errors: &mut FieldErrors) -> bool {
        if self.characters == 0 {
            errors.push(POINTER, "empty", "must not be empty");
            return false;
        }
        let too_long = self.characters > MAX_CHARACTERS;
        if too_long {
            errors.push(POINTER, "too_long", format!("{} characters; at most {MAX_CHARACTERS}", self.characters));
        }
        if let Some((character, place)) = self.forbidden {
            let detail = format!("U+{:04X} as character {place}", u32::from(character));
            errors.push(POINTER, "control_character", detail);
        }
        if !self.visible {
            errors.push(POINTER, "blank", "must not be only white space");
        }
        self.visible && !too_long && self.forbidden.is_none()
    }
}

/// Whether a closer look is needed: C0, DEL, or the byte that begins U+0080-U+00BF.
#[expect(clippy::needless_bitwise_bool, reason = "without branches the loop becomes vector instructions")]
fn may_hold_forbidden(bytes: &[u8]) -> bool {
    let suspicious = |byte: u8| ((byte < 0x20) & (byte != b'\n')) | (byte == 0x7f) | (byte == 0xc2);
    bytes.iter().fold(false, |any, &byte| any | suspicious(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The codes for a content given as it is.
    fn codes(content: &str) -> Vec<&'static str> {
        let mut errors = FieldErrors::default();
        let checked = Content::check(Text::new(content, false), &mut errors);
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
    fn only_tab_newline_and_carriage_return_are_allowed_of_the_control_characters() {
        for number in (0..0x20).chain(0x7f..0xa0) {
            let character = char::from(number);
            let expected: &[&str] = if "\t\n\r".contains(character) { &[] } else { &["control_character"] };
            assert_eq!(codes(&format!("a{character}")), expected, "U+{number:04X}");
        }
    }

    #[test]
    fn blank_means_unicode_white_space_and_nothing_else() {
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
    fn the_place_of_a_control_character_counts_characters() {
        let mut errors = FieldErrors::default();
        let text = Text::new(r"é😀\n\u0007\u0001", true);
        assert_eq!(Content::check(text, &mut errors), None);
        assert_eq!(errors.as_slice().first().map(|error| error.detail.as_ref()), Some("U+0007 as character 4"));
    }
}
