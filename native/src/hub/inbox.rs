//! The messages that a client has sent over its stream, until Python takes them.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use super::lock;

/// Maximum number of messages that wait for Python. The gateway reads no more from the socket then.
pub const MAX_MESSAGES: usize = 32;
/// The same for the size of these messages. A single message may be larger.
const MAX_BYTES: usize = 64 << 10;

/// The messages of one client. An empty inbox has no buffer.
#[derive(Debug, Default)]
pub struct Inbox(Mutex<Option<Box<Letters>>>);

#[derive(Debug, Default)]
struct Letters {
    messages: VecDeque<Vec<u8>>,
    bytes: usize,
    /// The reader of the socket, if it waits for space.
    reader: Option<Waker>,
}

impl Letters {
    fn is_full(&self) -> bool {
        self.messages.len() >= MAX_MESSAGES || self.bytes >= MAX_BYTES
    }
}

impl Inbox {
    /// Number of messages.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.0).as_ref().map_or(0, |letters| letters.messages.len())
    }

    /// Whether no message waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends a message. Returns whether it is the only one.
    pub fn push(&self, message: Vec<u8>) -> bool {
        let mut letters = lock(&self.0);
        let letters = letters.get_or_insert_default();
        letters.bytes += message.len();
        letters.messages.push_back(message);
        letters.messages.len() == 1
    }

    /// Removes and returns the first message.
    pub fn pop(&self) -> Option<Vec<u8>> {
        let mut place = lock(&self.0);
        let letters = place.as_mut()?;
        let message = letters.messages.pop_front()?;
        letters.bytes -= message.len();
        let reader = if letters.is_full() { None } else { letters.reader.take() };
        if letters.messages.is_empty() {
            *place = None;
        }
        drop(place);
        if let Some(reader) = reader {
            reader.wake();
        }
        Some(message)
    }

    /// Ready if there is space for another message.
    pub fn poll_space(&self, context: &Context<'_>) -> Poll<()> {
        match lock(&self.0).as_mut().filter(|letters| letters.is_full()) {
            Some(letters) => {
                letters.reader = Some(context.waker().clone());
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_full_inbox_stops_the_reader_until_there_is_space() {
        for (size, fits) in [(1, MAX_MESSAGES), (MAX_BYTES / 4, 4), (MAX_BYTES * 2, 1)] {
            let (inbox, woken) = (Inbox::default(), Arc::<Woken>::default());
            let waker = Waker::from(Arc::clone(&woken));
            for number in 0..fits {
                assert!(inbox.poll_space(&Context::from_waker(&waker)).is_ready());
                assert_eq!(inbox.push(vec![b'x'; size]), number == 0);
            }
            assert!(inbox.poll_space(&Context::from_waker(&waker)).is_pending());
            assert!(!woken.0.load(Ordering::SeqCst));
            assert_eq!(inbox.pop().map(|message| message.len()), Some(size));
            assert!(woken.0.load(Ordering::SeqCst) && inbox.poll_space(&Context::from_waker(&waker)).is_ready());
        }
    }

    #[test]
    fn messages_leave_in_their_order_and_an_empty_inbox_has_no_buffer() {
        let inbox = Inbox::default();
        assert_eq!(inbox.pop(), None);
        assert_eq!((inbox.push(b"a".to_vec()), inbox.push(b"b".to_vec())), (true, false));
        assert_eq!((inbox.len(), inbox.is_empty()), (2, false));
        assert_eq!([inbox.pop(), inbox.pop(), inbox.pop()], [Some(b"a".to_vec()), Some(b"b".to_vec()), None]);
        assert!(lock(&inbox.0).is_none());
    }
}
