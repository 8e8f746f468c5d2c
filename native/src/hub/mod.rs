//! Live streams: the blocks that wait for each of them, and notices about their connections.
//!
//! Python decides what each stream shows, and offers blocks to a [`stream::Stream`] on its own thread. A writer takes
//! them on the gateway's thread. For a server without the gateway, Python takes them itself. The messages of a client
//! wait in the other direction, in an [`inbox::Inbox`]. A lock lasts only as long as a copy.

pub mod block;
pub mod frames;
pub mod inbox;
mod lane;
pub mod lanes;
pub mod limits;
mod stalled;
pub mod stream;
pub mod streams;
mod waiting;

use std::sync::{Mutex, MutexGuard, PoisonError};

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
