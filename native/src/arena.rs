//! Keeps emptied buffers for the next batch, so that a busy server stops allocating.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};

/// At most this many emptied buffers wait for reuse.
const MAX_SPARE: usize = 16;

/// A buffer that can begin anew.
pub trait Reuse: Default {
    /// Forgets the content and keeps the memory.
    fn clear(&mut self);

    /// Memory it holds; a buffer above [`MAX_SPARE_BYTES`] is let go, so that one flood is not kept for ever.
    fn held_bytes(&self) -> usize;
}

/// The most memory one spare buffer may hold.
pub const MAX_SPARE_BYTES: usize = 1 << 20;

/// A bounded store of emptied buffers, shared by all threads.
#[derive(Debug, Default)]
pub struct Pool<B> {
    spare: Mutex<Vec<B>>,
}

impl<B: Reuse> Pool<B> {
    /// An emptied buffer, or a new one.
    pub fn take(&self) -> B {
        self.lock().pop().unwrap_or_default()
    }

    /// Keeps `buffer` for the next [`Pool::take`] if there is room for it.
    pub fn give(&self, mut buffer: B) {
        if buffer.held_bytes() > MAX_SPARE_BYTES {
            return;
        }
        buffer.clear();
        let mut spare = self.lock();
        if spare.len() < MAX_SPARE {
            spare.push(buffer);
        }
    }

    /// How many buffers wait.
    pub fn spare(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<B>> {
        self.spare.lock().expect("nothing panics while it holds the pool")
    }
}

/// A filled buffer that nobody changes any more; it goes back to its pool when the last reader is done.
#[derive(Debug)]
pub struct Pooled<B: Reuse> {
    buffer: B,
    pool: Arc<Pool<B>>,
}

impl<B: Reuse> Pooled<B> {
    /// Seals `buffer`, which returns to `pool`.
    pub fn new(buffer: B, pool: Arc<Pool<B>>) -> Self {
        Self { buffer, pool }
    }
}

impl<B: Reuse> Deref for Pooled<B> {
    type Target = B;

    fn deref(&self) -> &B {
        &self.buffer
    }
}

impl<B: Reuse> Drop for Pooled<B> {
    fn drop(&mut self) {
        self.pool.give(std::mem::take(&mut self.buffer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Reuse for Vec<u8> {
        fn clear(&mut self) {
            self.clear();
        }

        fn held_bytes(&self) -> usize {
            self.capacity()
        }
    }

    #[test]
    fn a_buffer_comes_back_empty_with_its_memory() {
        let pool = Arc::new(Pool::<Vec<u8>>::default());
        let sealed = Pooled::new(vec![1; 500], Arc::clone(&pool));
        let address = sealed.as_ptr();
        drop(sealed);
        let again = pool.take();
        assert_eq!((again.as_ptr(), again.len(), again.capacity()), (address, 0, 500));
    }

    #[test]
    fn spare_buffers_are_bounded_in_number_and_size() {
        let pool = Pool::<Vec<u8>>::default();
        for _ in 0..2 * MAX_SPARE {
            pool.give(vec![0; 10]);
        }
        assert_eq!(pool.spare(), MAX_SPARE);
        let pool = Pool::<Vec<u8>>::default();
        pool.give(vec![0; MAX_SPARE_BYTES + 1]);
        assert_eq!(pool.spare(), 0);
    }
}
