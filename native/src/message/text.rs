//! A JSON string in the body that held it: not unescaped until somebody reads it, piece by piece.

use std::borrow::Cow;

/// A `\uD800`-`\uDFFF` escape without its partner: no Unicode scalar value, so no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoneSurrogate;

/// What stands between a JSON string's quotes, already known to be well-formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'a> {
    raw: &'a str,
    escaped: bool,
}

impl<'a> Text<'a> {
    /// `raw` is what the reader found between two quotes; `escaped` tells that it holds a backslash.
    #[must_use]
    pub(super) fn new(raw: &'a str, escaped: bool) -> Self {
        Self { raw, escaped }
    }

    /// Calls `each` with the decoded text in order: whole runs as they lie in the body, escapes one by one.
    ///
    /// # Errors
    /// [`LoneSurrogate`] at the first one; `each` has then seen what stands before it.
    pub fn pieces(self, mut each: impl FnMut(&str)) -> Result<(), LoneSurrogate> {
        if !self.escaped {
            each(self.raw);
            return Ok(());
        }
        let mut rest = self.raw;
        while let Some((run, escape)) = rest.split_once('\\') {
            if !run.is_empty() {
                each(run);
            }
            let (character, length) = unescape(escape)?;
            each(character.encode_utf8(&mut [0; 4]));
            rest = &escape[length..];
        }
        if !rest.is_empty() {
            each(rest);
        }
        Ok(())
    }

    /// The decoded text, borrowed from the body where it holds no escape.
    ///
    /// # Errors
    /// [`LoneSurrogate`] when it holds one.
    pub fn decode(self) -> Result<Cow<'a, str>, LoneSurrogate> {
        if !self.escaped {
            return Ok(Cow::Borrowed(self.raw));
        }
        let mut text = String::with_capacity(self.raw.len());
        self.pieces(|piece| text.push_str(piece))?;
        Ok(Cow::Owned(text))
    }

    /// The decoded text for showing, with U+FFFD in place of each lone surrogate.
    #[must_use]
    pub fn decode_for_display(self) -> Cow<'a, str> {
        if !self.escaped {
            return Cow::Borrowed(self.raw);
        }
        let mut text = String::with_capacity(self.raw.len());
        let mut rest = self.raw;
        while let Some((run, escape)) = rest.split_once('\\') {
            text.push_str(run);
            let (character, length) = unescape(escape).unwrap_or((char::REPLACEMENT_CHARACTER, HEX_ESCAPE));
            text.push(character);
            rest = &escape[length..];
        }
        Cow::Owned(text + rest)
    }
}

/// Bytes of `uXXXX`.
const HEX_ESCAPE: usize = 5;

/// The character of the escape that follows a backslash, and the escape's length in bytes.
fn unescape(escape: &str) -> Result<(char, usize), LoneSurrogate> {
    let character = match escape.as_bytes()[0] {
        b'n' => '\n',
        b't' => '\t',
        b'r' => '\r',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'u' => return unescape_hex(escape),
        other => char::from(other),
    };
    Ok((character, 1))
}

/// The character of `uXXXX`, or of `uXXXX\uXXXX` when those are a pair.
fn unescape_hex(escape: &str) -> Result<(char, usize), LoneSurrogate> {
    let first = code_unit(&escape[1..HEX_ESCAPE]);
    if let Some(character) = char::from_u32(u32::from(first)) {
        return Ok((character, HEX_ESCAPE));
    }
    let second = escape[HEX_ESCAPE..].strip_prefix("\\u").ok_or(LoneSurrogate)?;
    match char::decode_utf16([first, code_unit(&second[..4])]).next() {
        Some(Ok(character)) => Ok((character, 2 * HEX_ESCAPE + 1)),
        _ => Err(LoneSurrogate),
    }
}

/// The UTF-16 code unit of four hexadecimal digits; the reader has checked that they are.
fn code_unit(digits: &str) -> u16 {
    u16::from_str_radix(digits, 16).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(raw: &str) -> Result<String, LoneSurrogate> {
        Text::new(raw, raw.contains('\\')).decode().map(Cow::into_owned)
    }

    #[test]
    fn text_without_an_escape_is_borrowed_from_the_body() {
        assert!(matches!(Text::new("plain é 😀", false).decode(), Ok(Cow::Borrowed("plain é 😀"))));
    }

    #[test]
    fn every_escape_becomes_its_character() {
        assert_eq!(decoded(r#"\"\\\/\b\f\n\r\t"#), Ok("\"\\/\u{8}\u{c}\n\r\t".to_owned()));
        assert_eq!(decoded(r"a\u00e9b\u0000\uFFFF"), Ok("a\u{e9}b\0\u{ffff}".to_owned()));
    }

    #[test]
    fn a_surrogate_pair_becomes_one_character() {
        assert_eq!(decoded(r"\ud83d\ude00!"), Ok("😀!".to_owned()));
    }

    #[test]
    fn a_surrogate_without_its_partner_is_no_text() {
        for raw in [r"\ud83d", r"\ude00", r"\ud83d!", r"\ud83d\n", r"\ud83d\ud83d\ude00", r"\ude00\ud83d"] {
            assert_eq!(decoded(raw), Err(LoneSurrogate), "{raw}");
        }
    }

    #[test]
    fn a_name_is_shown_with_a_mark_for_each_lone_surrogate() {
        assert_eq!(Text::new(r"a\ud83d\ud83d\ude00", true).decode_for_display(), "a\u{fffd}😀");
    }
}
