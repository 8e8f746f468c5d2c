//! The fingerprint of a message, which tells a repeat from another message with the same idempotency key.

use sha2::{Digest, Sha256};

use super::content::Content;
use super::extras::Extras;

/// Returns the first 8 bytes of the SHA-256 of `content`, big endian, signed.
#[must_use]
pub fn of_text(content: &str) -> i64 {
    first_bytes(Sha256::new_with_prefix(content))
}

/// Returns the fingerprint of a whole message. Without extras it equals [`of_text`] of the content.
#[must_use]
pub fn of_message(content: &Content<'_>, extras: Option<Extras<'_>>) -> i64 {
    let mut hash = Sha256::new_with_prefix(content.as_str());
    if let Some(extras) = extras {
        // A content contains no NUL, so NUL separates the two unambiguously.
        hash.update([0]);
        extras.lines().for_each(|line| hash.update(line));
    }
    first_bytes(hash)
}

fn first_bytes(hash: Sha256) -> i64 {
    let digest = hash.finalize();
    i64::from_be_bytes(std::array::from_fn(|at| digest[at]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::parse_message;

    fn fingerprint(body: &str) -> i64 {
        parse_message(body.as_bytes(), None, true).expect("a valid message").fingerprint()
    }

    #[test]
    fn a_fingerprint_starts_the_hash_of_the_decoded_text() {
        assert_eq!(fingerprint(r#"{"content":"h\u00e9\ud83d\ude00"}"#), of_text("hé😀"));
        assert_eq!(of_text("abc").to_be_bytes(), [0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea]);
    }

    #[test]
    fn extras_are_part_of_the_fingerprint() {
        let extras = fingerprint(r#"{"content":"a","extras":{"b":1}}"#);
        assert_eq!(extras, of_text("a\0{\"b\":1}"));
        assert_eq!(extras, fingerprint("{\"content\":\"a\",\"extras\":{\n\"b\":1\r\n}}"));
        assert_ne!(extras, fingerprint(r#"{"content":"a","extras":{"b":2}}"#));
    }
}
