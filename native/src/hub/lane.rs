//! The streams of one chat.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::block::Block;
use super::lanes::{Message, Signal};
use super::stream::Stream;

/// Maximum size of the events that are put together into one block.
const RUN_BYTES: usize = 16 << 10;

/// Streams in the order of their ids: 8 bytes for each, and a new stream is usually appended.
#[derive(Debug, Default)]
pub(super) struct Lane(Vec<Arc<Stream>>);

impl Lane {
    fn find(&self, id: u64) -> Result<usize, usize> {
        match self.0.last() {
            Some(last) if last.id() < id => Err(self.0.len()),
            _ => self.0.binary_search_by_key(&id, |stream| stream.id()),
        }
    }

    /// Adds a stream. Returns false if the lane contains it already.
    pub fn insert(&mut self, stream: &Arc<Stream>) -> bool {
        let Err(place) = self.find(stream.id()) else { return false };
        self.0.insert(place, Arc::clone(stream));
        true
    }

    /// Removes a stream and returns it.
    pub fn remove(&mut self, stream: &Stream) -> Option<Arc<Stream>> {
        let place = self.find(stream.id()).ok()?;
        let removed = self.0.remove(place);
        if self.0.len() < self.0.capacity() / 4 {
            self.0.shrink_to(self.0.len() * 2);
        }
        Some(removed)
    }

    pub fn contains(&self, stream: &Stream) -> bool {
        self.find(stream.id()).is_ok()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn streams(&self) -> impl Iterator<Item = &Arc<Stream>> {
        self.0.iter()
    }

    /// Shows events of the chat to all streams that have not seen them.
    pub fn show(&self, messages: &[Message]) {
        let mut rest = messages;
        while let Some(first) = rest.first() {
            let mut size = 0;
            let fitting = rest.iter().take_while(|message| {
                size += message.content.len();
                size <= RUN_BYTES
            });
            let (run, later) = rest.split_at(fitting.count().max(1));
            let together = Block::of(run.iter().map(|message| &message.content[..]));
            for stream in &self.0 {
                let after = stream.after.load(Ordering::Relaxed);
                if after < first.seq {
                    stream.push(together.clone());
                } else {
                    let unseen = run.iter().filter(|message| message.seq > after);
                    unseen.for_each(|message| stream.push(Block::new(&message.content)));
                }
            }
            rest = later;
        }
    }

    /// Shows a signal to all streams but its exceptions.
    pub fn signal(&self, signal: &Signal) {
        let block = Block::new(&signal.content);
        let receivers = self.0.iter().filter(|stream| !signal.except.contains(&stream.id()));
        receivers.for_each(|stream| stream.push_signal(block.clone()));
    }
}
