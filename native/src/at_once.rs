//! Limits concurrent requests for each key. Both entry points count in the same [`AtOnce`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::quota::Key;

/// Counts the running requests of each key.
#[derive(Debug)]
pub struct AtOnce {
    most: u32,
    running: Mutex<HashMap<Key, u32>>,
}

/// One running request. It ends when this value is dropped.
#[derive(Debug)]
pub struct Turn {
    all: Arc<AtOnce>,
    key: Key,
}

impl AtOnce {
    /// Allows each key `most` running requests.
    #[must_use]
    pub fn new(most: u32) -> Self {
        Self { most, running: Mutex::default() }
    }

    /// Begins a request and returns true, or returns false if too many run; [`AtOnce::leave`] ends it.
    pub fn enter(&self, key: Key) -> bool {
        let mut running = self.lock();
        let count = running.get(&key).copied().unwrap_or(0);
        let is_free = count < self.most;
        if is_free {
            running.insert(key, count + 1);
        }
        is_free
    }

    /// Ends a request.
    pub fn leave(&self, key: &Key) {
        let mut running = self.lock();
        if let Some(count) = running.get_mut(key) {
            *count -= 1;
            if *count == 0 {
                running.remove(key);
            }
        }
    }

    /// Number of keys with a running request.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether no request runs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, u32>> {
        self.running.lock().expect("no thread panics while it holds the lock")
    }
}

impl Turn {
    /// Begins a request; `None` if too many run.
    #[must_use]
    pub fn begin(all: &Arc<AtOnce>, key: Key) -> Option<Self> {
        all.enter(key.clone()).then(|| Self { all: Arc::clone(all), key })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.all.leave(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_limit() {
        let all = Arc::new(AtOnce::new(2));
        let turns: Vec<_> = (0..3).filter_map(|_| Turn::begin(&all, Key::Number(1))).collect();
        assert_eq!(turns.len(), 2);
        assert!(all.enter(Key::Number(2)));
        drop(turns);
        assert!(all.enter(Key::Number(1)));
        assert_eq!(all.len(), 2);
        all.leave(&Key::Number(1));
        all.leave(&Key::Number(2));
        assert!(all.is_empty());
    }

    #[test]
    fn a_limit_of_zero_remembers_no_key() {
        let all = AtOnce::new(0);
        assert!(!all.enter(Key::Number(1)));
        assert!(all.is_empty());
    }
}
