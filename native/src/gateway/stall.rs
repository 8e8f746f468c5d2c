//! How long a client has not read its answer.

use std::future::Future as _;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use super::config::Limits;
use super::quiet::Connection;

/// A client that reads again within this time costs its address nothing.
const GRACE: Duration = Duration::from_secs(1);
/// What the kernel may hold besides the bytes that wait in the gateway.
pub const KERNEL_BYTES: u32 = 64 << 10;

/// The state of one socket's writing.
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

    /// The socket accepted bytes. Returns whether it did not before.
    pub fn end(&mut self) -> bool {
        self.0.take().is_some()
    }

    /// The socket did not accept bytes. Ready if the connection must be reset.
    pub fn poll(
        &mut self,
        context: &mut Context<'_>,
        connection: &Rc<Connection>,
        unsent: usize,
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
                let charge = unsent + KERNEL_BYTES as usize;
                if unread.get() + charge > limits.unread_bytes_per_address {
                    return Poll::Ready(());
                }
                waiting.charged = charge;
                unread.set(unread.get() + charge);
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
