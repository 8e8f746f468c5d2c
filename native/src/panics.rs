//! A panic in native code ends the process.
//!
//! The state that the code was changing may be wrong, and clients may wait for its result for ever. Messages that were
//! acknowledged are in the database, and clients repeat the others.

use std::panic;
use std::process;
use std::sync::Once;

/// Makes a panic of any thread print an error message and end the process.
pub fn end_process() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        panic::set_hook(Box::new(|details| {
            eprintln!("fechatter: the native code failed and ends the process: {details}");
            process::abort();
        }));
    });
}

/// Panics in builds with the feature `panic-switch` if the variable `NATIVE_PANIC` is `place:count` and this is the
/// call with that number. Other builds do not contain the switch.
#[cfg(feature = "panic-switch")]
pub fn point(place: &str) {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static WANTED: LazyLock<Option<(String, u64)>> = LazyLock::new(|| {
        let variable = std::env::var("NATIVE_PANIC").ok()?;
        let (place, count) = variable.split_once(':')?;
        Some((place.to_owned(), count.parse().ok()?))
    });
    static PASSED: AtomicU64 = AtomicU64::new(0);
    if let Some((wanted, count)) = &*WANTED {
        assert!(wanted != place || PASSED.fetch_add(1, Ordering::Relaxed) + 1 != *count, "the switch at {place}");
    }
}

/// Does nothing in builds without the feature `panic-switch`.
#[cfg(not(feature = "panic-switch"))]
#[inline]
pub fn point(_place: &str) {}
