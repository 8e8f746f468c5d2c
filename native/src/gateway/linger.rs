//! Reads and ignores the bytes that a client still sends after the last answer.
//!
//! If the socket were closed at once, the kernel would reset the connection, and the client might lose the answer.

use std::future::Future as _;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::{Instant, Sleep, sleep};

const LINGER: Duration = Duration::from_secs(1);

/// The last phase of a connection.
#[derive(Debug, Default)]
pub struct Linger(Option<Pin<Box<Sleep>>>);

impl Linger {
    /// Whether this phase has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.is_some()
    }

    /// Ready once the client has closed its side, or the time is over.
    pub fn poll<S: AsyncRead + Unpin>(&mut self, context: &mut Context<'_>, socket: &mut S) -> Poll<()> {
        let timer = self.0.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        let mut buffer = [0; 4096];
        loop {
            match pin!(socket.read(&mut buffer)).poll(context) {
                Poll::Ready(Ok(read)) if read > 0 && timer.deadline() > Instant::now() => {}
                Poll::Ready(_) => break,
                Poll::Pending => {
                    ready!(timer.as_mut().poll(context));
                    break;
                }
            }
        }
        Poll::Ready(())
    }
}
