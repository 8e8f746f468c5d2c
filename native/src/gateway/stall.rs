//! Limits the time for which a client reads nothing of its answer, and the memory of what it does not read.

use std::future::Future as _;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use super::config::Limits;
use super::quiet::Connection;

/// Unread bytes count for the client's address only after this time.
const GRACE: Duration = Duration::from_secs(1);
/// Maximum number of unsent bytes in the kernel, in addition to the bytes that wait in the gateway.
pub const KERNEL_BYTES: u32 = 64 << 10;

/// Whether one socket or stream accepts bytes, and since when it does not.
#[derive(Debug, Default)]
pub struct Stall(Option<Box<Waiting>>);

#[derive(Debug)]
struct Waiting {
    since: Instant,
    connection: Rc<Connection>,
    charged: usize,
    timer: Pin<Box<Sleep>>,
}

impl Stall {
    /// Whether bytes wait for the client.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.0.is_some()
    }

    /// Notes that bytes were accepted. Returns whether bytes were waiting before.
    pub fn end(&mut self) -> bool {
        self.0.take().is_some()
    }

    /// Notes that nothing was accepted. Ready when the connection or the stream must be reset. `size`: the memory that
    /// waits.
    pub fn poll(
        &mut self,
        context: &mut Context<'_>,
        connection: &Rc<Connection>,
        size: usize,
        limits: &Limits,
    ) -> Poll<()> {
        let waiting = self.0.get_or_insert_with(|| {
            let since = Instant::now();
            let first = since + GRACE.min(limits.write_seconds);
            Box::new(Waiting {
                since,
                connection: Rc::clone(connection),
                charged: 0,
                timer: Box::pin(sleep_until(first)),
            })
        });
        loop {
            ready!(waiting.timer.as_mut().poll(context));
            let end = waiting.since + limits.write_seconds;
            if Instant::now() >= end {
                return Poll::Ready(());
            }
            waiting.timer.as_mut().reset(end);
            if let Some(unread) = connection.unread() {
                if unread.get() + size > limits.unread_bytes_per_address {
                    return Poll::Ready(());
                }
                waiting.charged = size;
                unread.set(unread.get() + size);
            }
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(unread) = self.connection.unread() {
            unread.set(unread.get() - self.charged);
        }
    }
}
