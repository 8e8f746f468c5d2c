//! Ids of requests: a client may choose one, otherwise the server does.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// Multiples of the golden ratio, modulo 2^64, have the greatest distance from one another (Knuth, The Art of Computer
/// Programming, volume 3, section 6.4).
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
/// Maximum length of an id that a client chooses.
const MAX_CHARACTERS: usize = 64;

/// Yields ids of 16 characters without end. Any billion successive ids differ in their first 8 characters, which people
/// see. Any thread may call it.
#[derive(Debug)]
pub struct RequestIds(AtomicU64);

impl Default for RequestIds {
    fn default() -> Self {
        // The state of a hasher is random in each process, and differs between hashers.
        Self(AtomicU64::new(RandomState::new().hash_one(0_u8)))
    }
}

impl RequestIds {
    /// Returns the next id.
    #[must_use]
    pub fn next_id(&self) -> String {
        format!("{:016x}", self.0.fetch_add(GOLDEN, Ordering::Relaxed))
    }
}

/// Whether a client may choose this id.
#[must_use]
pub fn is_valid(id: &[u8]) -> bool {
    let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"._:-".contains(byte);
    (1..=MAX_CHARACTERS).contains(&id.len()) && id.iter().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_differ_in_the_part_that_people_see() {
        let ids = RequestIds::default();
        let shown: HashSet<String> = (0..20_000).map(|_| ids.next_id()[..8].to_owned()).collect();
        assert_eq!(shown.len(), 20_000);
        assert_ne!(RequestIds::default().next_id(), RequestIds::default().next_id());
        assert!(is_valid(ids.next_id().as_bytes()) && ids.next_id().len() == 16);
    }

    #[test]
    fn an_id_has_1_to_64_visible_characters() {
        for id in ["a", "a-b_c.d:E9", &"a".repeat(64)] {
            assert!(is_valid(id.as_bytes()), "{id}");
        }
        for id in ["", "a b", "a\n", "é", "a,b", "a/b", &"a".repeat(65)] {
            assert!(!is_valid(id.as_bytes()), "{id}");
        }
    }
}
