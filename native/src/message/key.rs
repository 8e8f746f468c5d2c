//! Idempotency keys: their rules, and the form in which they are stored.

use std::borrow::Cow;

use crate::error::FieldErrors;

/// Maximum length of a key, in Unicode scalar values.
pub const MAX_CHARACTERS: usize = 64;
/// Minimum size of a stored key that is not a UUID. It differs from the size of a UUID.
const SHORTEST_TEXT_BYTES: usize = 17;

/// JSON Pointer of the errors of a key, even if the key came from the header.
pub const POINTER: &str = "/idempotency_key";

/// A valid key as its sender wrote it.
pub type Key<'a> = Cow<'a, str>;

/// Whether `key` has 1-64 characters and no control character.
#[must_use]
pub fn is_valid(key: &str) -> bool {
    // The check of the size in bytes limits the work on a key that is far too long.
    !key.is_empty()
        && key.len() <= MAX_CHARACTERS * 4
        && key.chars().count() <= MAX_CHARACTERS
        && !key.chars().any(char::is_control)
}

/// Returns `key` if it is valid; otherwise adds an error.
#[must_use]
pub fn check<'a>(key: Key<'a>, errors: &mut FieldErrors) -> Option<Key<'a>> {
    if is_valid(&key) {
        return Some(key);
    }
    push_invalid(errors);
    None
}

/// Adds the error of an invalid key.
pub fn push_invalid(errors: &mut FieldErrors) {
    errors.push(POINTER, "invalid_key", "must be 1 to 64 characters without control characters");
}

/// Returns the 16 bytes of a UUID in its canonical form, otherwise UTF-8 padded with NUL to at least 17 bytes.
///
/// Different keys have different stored forms: a valid key contains no NUL, and a UUID has one canonical form.
#[must_use]
pub fn stored(key: &str) -> Vec<u8> {
    if let Some(uuid) = uuid_bytes(key) {
        return uuid.to_vec();
    }
    let mut bytes = key.as_bytes().to_vec();
    bytes.resize(bytes.len().max(SHORTEST_TEXT_BYTES), 0);
    bytes
}

/// Returns the bytes of `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` in lowercase hexadecimal.
fn uuid_bytes(key: &str) -> Option<[u8; 16]> {
    let groups: Vec<&str> = key.splitn(6, '-').collect();
    if groups.iter().map(|group| group.len()).ne([8, 4, 4, 4, 12]) {
        return None;
    }
    let mut bytes = [0; 16];
    let digits = key.bytes().filter(|&byte| byte != b'-');
    for (at, digit) in digits.enumerate() {
        bytes[at / 2] = bytes[at / 2] << 4 | lower_hex(digit)?;
    }
    Some(bytes)
}

fn lower_hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_1_to_64_characters_and_no_control_character() {
        for key in ["a", &"😀".repeat(64), "two words", "\u{ad}", "-"] {
            assert!(is_valid(key), "{key:?}");
        }
        for key in ["", &"a".repeat(65), &"é".repeat(65), "a\n", "\t", "\u{7f}", "\u{9f}", "\0"] {
            assert!(!is_valid(key), "{key:?}");
        }
    }

    #[test]
    fn a_canonical_uuid_is_stored_as_its_bytes() {
        let stored_key = stored("0192f0c1-2345-7abc-8def-0123456789ab");
        assert_eq!(stored_key, 0x0192_f0c1_2345_7abc_8def_0123_4567_89ab_u128.to_be_bytes());
    }

    #[test]
    fn any_other_key_has_a_longer_stored_form() {
        assert_eq!(stored("a"), b"a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        assert_eq!(stored("0123456789abcdef"), b"0123456789abcdef\0");
        for key in [
            "0192F0C1-2345-7ABC-8DEF-0123456789AB",
            "0192f0c1-2345-7abc-8def-0123456789aG",
            "0192f0c123457abc8def0123456789ab",
            "0192f0c12345-7abc-8def-0123456789ab-",
            "0192f0c1-2345-7abc-8def-0123456789ab-",
            "0192f0c1-2345-7abc-8def-0123456789é",
        ] {
            assert_eq!(stored(key), key.as_bytes());
        }
    }
}
