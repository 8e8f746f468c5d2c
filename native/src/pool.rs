//! Reuses the memory of emptied batches, so that a busy server rarely allocates.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};

/// Maximum number of spare values in a pool.
const MAX_SPARE: usize = 16;
/// Maximum memory of one spare value. A larger one is freed, so that a single burst does not occupy memory permanently.
const MAX_SPARE_BYTES: usize = 1 << 20;

/// A value whose memory can be used again.
pub trait Reuse: Default {
    /// Removes the content and keeps the memory.
    fn clear(&mut self);

    /// Size of the allocated memory in bytes.
    fn allocated_bytes(&self) -> usize;
}

/// A bounded store of emptied values, shared by all threads.
#[derive(Debug, Default)]
pub struct Pool<T> {
    spare: Mutex<Vec<T>>,
}

impl<T: Reuse> Pool<T> {
    /// Returns a spare value, or a new one.
    pub fn take(&self) -> T {
        self.lock().pop().unwrap_or_default()
    }

    /// Empties `value` and stores it for the next [`Pool::take`]; frees it if it is too large or the pool is full.
    pub fn put(&self, mut value: T) {
        if value.allocated_bytes() > MAX_SPARE_BYTES {
            return;
        }
        value.clear();
        let mut spare = self.lock();
        if spare.len() < MAX_SPARE {
            spare.push(value);
        }
    }

    /// Number of spare values.
    pub fn spare(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        self.spare.lock().expect("no thread panics while it holds the lock")
    }
}

/// A read-only value that returns to its pool when it is dropped.
#[derive(Debug)]
pub struct Pooled<T: Reuse> {
    value: T,
    pool: Arc<Pool<T>>,
}

impl<T: Reuse> Pooled<T> {
    /// Wraps `value`, which returns to `pool`.
    pub fn new(value: T, pool: Arc<Pool<T>>) -> Self {
        Self { value, pool }
    }
}

impl<T: Reuse> Deref for Pooled<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Reuse> Drop for Pooled<T> {
    fn drop(&mut self) {
        self.pool.put(std::mem::take(&mut self.value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Reuse for Vec<u8> {
        fn clear(&mut self) {
            self.clear();
        }

        fn allocated_bytes(&self) -> usize {
            self.capacity()
        }
    }

    #[test]
    fn a_dropped_value_is_reused_empty_with_its_memory() {
        let pool = Arc::new(Pool::<Vec<u8>>::default());
        let pooled = Pooled::new(vec![1; 500], Arc::clone(&pool));
        let address = pooled.as_ptr();
        drop(pooled);
        let reused = pool.take();
        assert_eq!((reused.as_ptr(), reused.len(), reused.capacity()), (address, 0, 500));
    }

    #[test]
    fn spare_values_are_bounded_in_number_and_size() {
        let pool = Pool::<Vec<u8>>::default();
        for _ in 0..2 * MAX_SPARE {
            pool.put(vec![0; 10]);
        }
        assert_eq!(pool.spare(), MAX_SPARE);
        let pool = Pool::<Vec<u8>>::default();
        pool.put(vec![0; MAX_SPARE_BYTES + 1]);
        assert_eq!(pool.spare(), 0);
    }
}
