//! Reads and ignores what a client still sends after the last answer.
//!
//! If the socket were closed at once, the kernel would reset the connection, and the client might lose the answer.

use std::future::Future as _;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::{Sleep, sleep};

const LINGER: Duration = Duration::from_secs(1);
const MAX_BYTES: usize = 1 << 20;

/// The end of one connection.
#[derive(Debug, Default)]
pub struct Linger {
    ignored: usize,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Linger {
    /// Whether it has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.timer.is_some()
    }

    /// Ready once the client has ended its side, or has used up the time or the bytes.
    pub fn poll<S: AsyncRead + Unpin>(&mut self, context: &mut Context<'_>, socket: &mut S) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        let mut buffer = [0; 4096];
        while self.ignored < MAX_BYTES {
            match pin!(socket.read(&mut buffer)).poll(context) {
                Poll::Ready(Ok(read)) if read > 0 => self.ignored += read,
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
