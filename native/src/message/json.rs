//! Reads JSON with `serde_json`. Names and values borrow from the body.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::Malformed;

/// Maximum depth of nested objects and lists.
pub const MAX_DEPTH: usize = 32;

/// A `\uD800`-`\uDFFF` escape without its partner does not encode a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoneSurrogate;

/// The type of a JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A string.
    Text,
    /// An object.
    Object,
    /// A list.
    List,
    /// `null`.
    Null,
    /// A number, `true` or `false`.
    Other,
}

/// Returns the type of a value.
#[must_use]
pub fn kind(value: &RawValue) -> Kind {
    match value.get().as_bytes()[0] {
        b'"' => Kind::Text,
        b'{' => Kind::Object,
        b'[' => Kind::List,
        b'n' => Kind::Null,
        _ => Kind::Other,
    }
}

/// Returns `body` as text.
///
/// # Errors
/// [`Malformed::Utf8`] if it is not UTF-8.
pub fn utf8(body: &[u8]) -> Result<&str, Malformed> {
    // The fast check does not return the position of an error.
    simdutf8::basic::from_utf8(body)
        .or_else(|_| std::str::from_utf8(body).map_err(|error| Malformed::Utf8 { at: error.valid_up_to() }))
}

/// Calls `each` with the name and the value of each member of an object. Returns `false` if `json` is another value.
///
/// # Errors
/// [`Malformed::Json`] if `json` is not one JSON value.
pub fn members<'a>(json: &'a str, each: impl FnMut(&'a RawValue, &'a RawValue)) -> Result<bool, Malformed> {
    let is_object = json.trim_ascii_start().starts_with('{');
    let mut reader = serde_json::Deserializer::from_str(json);
    if is_object {
        reader.deserialize_map(Members(each))?;
    } else {
        reader.deserialize_ignored_any(IgnoredAny)?;
    }
    reader.end()?;
    Ok(is_object)
}

/// Calls `each` with the values of a list.
///
/// # Panics
/// If `list` is not a list.
pub fn elements<'a>(list: &'a RawValue, each: impl FnMut(&'a RawValue)) {
    let mut reader = serde_json::Deserializer::from_str(list.get());
    reader.deserialize_seq(Elements(each)).expect("a RawValue is well-formed");
}

/// Returns the text of a string. It borrows from the body unless it contains an escape.
///
/// # Errors
/// [`LoneSurrogate`] if the string contains a lone surrogate.
pub fn text(string: &RawValue) -> Result<Cow<'_, str>, LoneSurrogate> {
    match unescaped(string) {
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(bytes) => String::from_utf8(bytes).map(Cow::Owned).map_err(|_| LoneSurrogate),
    }
}

/// Returns the text of a string, with U+FFFD in place of lone surrogates.
#[must_use]
pub fn text_for_display(string: &RawValue) -> Cow<'_, str> {
    match unescaped(string) {
        Ok(text) => Cow::Borrowed(text),
        Err(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

/// Checks that well-formed `json` is not nested deeper than [`MAX_DEPTH`].
///
/// # Errors
/// [`Malformed::Json`] if it is nested deeper.
pub fn check_depth(json: &str) -> Result<(), Malformed> {
    let (mut depth, mut in_string, mut bytes) = (0, false, json.bytes());
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' => drop(bytes.next()),
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth -= 1,
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(Malformed::Json(format!("nested deeper than {MAX_DEPTH} levels")));
        }
    }
    Ok(())
}

/// Returns the text of a string without escapes. Otherwise, `Err` contains a decoded copy, which is not valid UTF-8 if
/// the string contains a lone surrogate.
fn unescaped(string: &RawValue) -> Result<&str, Vec<u8>> {
    let quoted = string.get();
    let text = &quoted[1..quoted.len() - 1];
    if !text.as_bytes().contains(&b'\\') {
        return Ok(text);
    }
    let mut reader = serde_json::Deserializer::from_str(quoted);
    Err(reader.deserialize_bytes(Bytes).expect("a RawValue is well-formed"))
}

struct Members<F>(F);

impl<'a, F: FnMut(&'a RawValue, &'a RawValue)> Visitor<'a> for Members<F> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut object: A) -> Result<(), A::Error> {
        while let Some((name, value)) = object.next_entry()? {
            (self.0)(name, value);
        }
        Ok(())
    }
}

struct Elements<F>(F);

impl<'a, F: FnMut(&'a RawValue)> Visitor<'a> for Elements<F> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'a>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(value) = list.next_element()? {
            (self.0)(value);
        }
        Ok(())
    }
}

struct Bytes;

impl Visitor<'_> for Bytes {
    type Value = Vec<u8>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a string")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> &RawValue {
        serde_json::from_str(json).expect("a JSON value")
    }

    #[test]
    fn only_a_text_with_escapes_is_copied() {
        assert_eq!(text(raw(r#""plain é 😀""#)), Ok(Cow::Borrowed("plain é 😀")));
        assert!(matches!(text(raw(r#""plain é 😀""#)), Ok(Cow::Borrowed(_))));
        let escapes = r#""\"\\\/\b\f\n\r\t\u00e9\u0000\ud83d\ude00!""#;
        assert_eq!(text(raw(escapes)).as_deref(), Ok("\"\\/\u{8}\u{c}\n\r\té\0😀!"));
    }

    #[test]
    fn a_lone_surrogate_is_not_a_text() {
        for json in [r#""\ud83d""#, r#""\ude00""#, r#""\ud83d!""#, r#""\ud83d\n""#, r#""\ude00\ud83d""#] {
            assert_eq!(text(raw(json)), Err(LoneSurrogate), "{json}");
            assert!(text_for_display(raw(json)).contains('\u{fffd}'), "{json}");
        }
    }

    #[test]
    fn members_and_elements_are_borrowed_in_order() {
        let mut found = Vec::new();
        let json = r#" {"a": [1, {"b":null}], "a" : "x" } "#;
        assert_eq!(members(json, |name, value| found.push((name.get(), value.get()))), Ok(true));
        assert_eq!(found, [("\"a\"", r#"[1, {"b":null}]"#), ("\"a\"", "\"x\"")]);
        let mut values = Vec::new();
        elements(raw(found[0].1), |value| values.push((value.get(), kind(value))));
        assert_eq!(values, [("1", Kind::Other), (r#"{"b":null}"#, Kind::Object)]);
    }

    #[test]
    fn other_values_have_no_members() {
        for json in ["[{}]", "1", "-0.5e+3", "1e999", "null", "true", "\"{}\""] {
            assert_eq!(members(json, |_, _| unreachable!()), Ok(false), "{json}");
        }
    }

    #[test]
    fn malformed_json_is_refused_at_any_depth() {
        for json in
            ["", "{", "{]", "{,}", "{a:1}", "01", "nul", "NaN", "1 2", "\"\\x\"", "\"a\nb\"", "\u{feff}{}", "{}{}"]
        {
            assert!(matches!(members(json, |_, _| ()), Err(Malformed::Json(_))), "{json:?}");
            let nested = format!("{{\"a\":[{json}]}}");
            let is_valid_in_a_list = json.is_empty();
            assert_eq!(members(&nested, |_, _| ()).is_ok(), is_valid_in_a_list, "{nested:?}");
        }
    }

    #[test]
    fn an_error_contains_its_position() {
        let Err(Malformed::Json(detail)) = members("{\"a\":1,}", |_, _| ()) else { panic!("it is malformed") };
        assert!(detail.ends_with("at line 1 column 8"), "{detail}");
        for (body, at) in
            [(&b"\"ab\xff\""[..], 3), (b"\"\xed\xa0\x80\"", 1), (b"\"\xc0\xaf\"", 1), (b"\"\xf0\x9f\x98", 1)]
        {
            assert_eq!(utf8(body), Err(Malformed::Utf8 { at }));
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |levels: usize| format!("{}{}", "[\"[\\\"[\",".repeat(levels), "0]".repeat(levels));
        assert_eq!(check_depth(&nested(MAX_DEPTH)), Ok(()));
        assert!(check_depth(&nested(MAX_DEPTH + 1)).is_err());
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        assert_eq!(members(&deep, |_, _| ()), Ok(true));
    }
}
