//! Ids of requests.

use std::cell::Cell;
use std::hash::{BuildHasher as _, RandomState};

use http::HeaderValue;

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
const MAX_BYTES: usize = 64;

/// Yields ids of 16 characters without end, as `fechatter/api/middleware/boundary.py` does.
#[derive(Debug)]
pub struct RequestIds(Cell<u64>);

impl Default for RequestIds {
    fn default() -> Self {
        Self(Cell::new(RandomState::new().hash_one(std::process::id())))
    }
}

impl RequestIds {
    /// Returns the next id.
    #[must_use]
    pub fn next(&self) -> HeaderValue {
        let value = self.0.get().wrapping_add(GOLDEN);
        self.0.set(value);
        HeaderValue::from_str(&format!("{value:016x}")).unwrap_or(HeaderValue::from_static("0"))
    }
}

/// Whether a client may choose this id.
#[must_use]
pub fn is_valid(id: &[u8]) -> bool {
    let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"._:-".contains(byte);
    !id.is_empty() && id.len() <= MAX_BYTES && id.iter().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_are_valid() {
        let ids = RequestIds::default();
        let (one, other) = (ids.next(), ids.next());
        assert_ne!(one, other);
        assert!(is_valid(one.as_bytes()) && one.len() == 16);
        for id in [&b""[..], b"a b", b"a\x80", &[b'a'; 65]] {
            assert!(!is_valid(id));
        }
    }
}
