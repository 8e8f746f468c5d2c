//! Distinguishes a repeat from another message with the same idempotency key.

use sha2::{Digest, Sha256};

use super::content::Content;
use super::extras::Extras;

/// Returns the first 8 bytes of the SHA-256 of the content, as a signed big-endian integer. If there are extras, the
/// hash also covers NUL and the extras.
#[must_use]
pub fn fingerprint(content: &Content<'_>, extras: Option<Extras<'_>>) -> i64 {
    let mut hash = Sha256::new_with_prefix(content.as_str());
    if let Some(extras) = extras {
        // A content contains no NUL, so NUL separates the two unambiguously.
        hash.update([0]);
        extras.lines().for_each(|line| hash.update(line));
    }
    let digest = hash.finalize();
    i64::from_be_bytes(std::array::from_fn(|at| digest[at]))
}

#[cfg(test)]
mod tests {
    use crate::message::parse_message;

    fn of(body: &str) -> i64 {
        parse_message(body.as_bytes(), None, true).expect("a valid message").fingerprint()
    }

    #[test]
    fn a_fingerprint_starts_the_hash_of_the_decoded_text() {
        assert_eq!(of(r#"{"content":"abc"}"#).to_be_bytes(), [0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea]);
        assert_eq!(of(r#"{"content":"h\u00e9\ud83d\ude00"}"#), of(r#"{"content":"hé😀"}"#));
    }

    #[test]
    fn extras_are_part_of_the_fingerprint() {
        let extras = of(r#"{"content":"a","extras":{"b":1}}"#);
        assert_eq!(extras, of("{\"content\":\"a\",\"extras\":{\n\"b\":1\r\n}}"));
        assert_ne!(extras, of(r#"{"content":"a","extras":{"b":2}}"#));
        assert_ne!(extras, of(r#"{"content":"a"}"#));
    }
}
