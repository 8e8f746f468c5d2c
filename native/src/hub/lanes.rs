//! Lanes: the streams that see the events of one chat.
//!
//! [`Lanes::publish`] and [`Lanes::signal`] cost the same for every number of streams. The gateway's thread distributes
//! the blocks later, in the order of their publication. Every other operation on a stream first distributes what was
//! published before it ([`Lanes::settle`]), so the order never changes.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Waker;

use tokio::sync::Notify;
use tokio::task::yield_now;

use super::block::Block;
use super::lane::Lane;
use super::lock;
use super::stream::Stream;

/// Writers that are woken at once.
const AT_ONCE: usize = 64;
/// An empty queue with more places than this frees its memory.
const KEPT_PLACES: usize = 1024;

/// An event of a chat.
#[derive(Debug)]
pub struct Message {
    /// The chat whose lane shows it.
    pub chat_id: i64,
    /// The number of the event.
    pub seq: u64,
    /// How clients receive it.
    pub content: Vec<u8>,
}

/// A fact without a number. It may be lost.
#[derive(Debug)]
pub struct Signal {
    /// The chat whose lane shows it.
    pub chat_id: i64,
    /// How clients receive it.
    pub content: Vec<u8>,
    /// The streams that do not see it.
    pub except: Vec<u64>,
}

#[derive(Debug)]
enum Published {
    Messages(i64, Vec<Message>),
    Signal(Signal),
}

/// All lanes of a node.
#[derive(Debug, Default)]
pub struct Lanes {
    published: Mutex<Vec<Published>>,
    by_chat: Mutex<HashMap<i64, Lane>>,
    wake: Notify,
    /// Whether the gateway's thread distributes.
    is_delegated: AtomicBool,
    /// The writers that have something to write, in the order in which it became so.
    ready: Mutex<VecDeque<Waker>>,
}

impl Lanes {
    /// Shows a stream the events of some chats with a higher number than `after`, if they are published from now on.
    pub fn enter(&self, chat_ids: &[i64], stream: &Arc<Stream>, after: u64) {
        let mut lanes = self.settled();
        stream.after.store(after, Ordering::Relaxed);
        let mut chats = lock(&stream.chats);
        chats.reserve_exact(chat_ids.len());
        for chat_id in chat_ids {
            if lanes.entry(*chat_id).or_default().insert(stream) {
                chats.push(*chat_id);
            }
        }
    }

    /// Shows a stream no further events of a chat.
    pub fn leave(&self, chat_id: i64, stream: &Stream) {
        let mut lanes = self.settled();
        lock(&stream.chats).retain(|each| *each != chat_id);
        let left = remove(&mut lanes, chat_id, stream);
        drop(lanes);
        drop(left);
    }

    /// Shows a stream no further events of any chat.
    pub fn leave_all(&self, stream: &Stream) {
        let mut lanes = self.settled();
        let chats = std::mem::take(&mut *lock(&stream.chats));
        let left: Vec<_> = chats.into_iter().filter_map(|chat_id| remove(&mut lanes, chat_id, stream)).collect();
        drop(lanes);
        drop(left);
    }

    /// Shows no stream further events of a chat.
    pub fn remove(&self, chat_id: i64) {
        let mut lanes = self.settled();
        let lane = lanes.remove(&chat_id).unwrap_or_default();
        lane.streams().for_each(|stream| lock(&stream.chats).retain(|each| *each != chat_id));
        drop(lanes);
        drop(lane);
    }

    /// Shows one event of a chat to one stream, if it is in the chat's lane. The lane does not show it again.
    pub fn show(&self, chat_id: i64, seq: u64, stream: &Stream, block: Block) {
        let lanes = self.settled();
        if stream.after.load(Ordering::Relaxed) < seq && lanes.get(&chat_id).is_some_and(|lane| lane.contains(stream)) {
            stream.after.store(seq, Ordering::Relaxed);
            stream.push(block);
        }
    }

    /// Publishes events, in the order of their numbers.
    pub fn publish(&self, messages: impl IntoIterator<Item = Message>) {
        let mut published = lock(&self.published);
        for message in messages {
            // A stream may show several chats, so only successive events of a chat are put together.
            match published.last_mut() {
                Some(Published::Messages(chat_id, group)) if *chat_id == message.chat_id => group.push(message),
                _ => published.push(Published::Messages(message.chat_id, vec![message])),
            }
        }
        drop(published);
        self.distribute_soon();
    }

    /// Publishes a signal to the lane of its chat.
    pub fn signal(&self, signal: Signal) {
        lock(&self.published).push(Published::Signal(signal));
        self.distribute_soon();
    }

    fn distribute_soon(&self) {
        if self.is_delegated.load(Ordering::SeqCst) {
            self.wake.notify_one();
        } else {
            self.settle();
        }
    }

    /// Distributes everything that was published.
    pub fn settle(&self) {
        drop(self.settled());
    }

    /// Distributes what is published and wakes writers, until the future is dropped.
    ///
    /// It looks for published blocks after every 64 writers. Between them, the thread does its other work, so that a
    /// request waits for few of them, and a writer that comes later writes several blocks at once.
    pub async fn distribute(&self) {
        self.is_delegated.store(true, Ordering::SeqCst);
        let _until_dropped = Delegated(self);
        loop {
            self.settle();
            if self.wake_first(AT_ONCE) {
                yield_now().await;
            } else {
                self.wake.notified().await;
            }
        }
    }

    /// Wakes a writer soon, after those that became ready before.
    pub(super) fn make_ready(&self, writer: Option<Waker>) {
        let Some(writer) = writer else { return };
        if !self.is_delegated.load(Ordering::SeqCst) {
            writer.wake();
            return;
        }
        let mut ready = lock(&self.ready);
        ready.push_back(writer);
        let is_first = ready.len() == 1;
        drop(ready);
        if is_first {
            self.wake.notify_one();
        }
        if !self.is_delegated.load(Ordering::SeqCst) {
            self.wake_first(usize::MAX);
        }
    }

    /// Wakes the first writers. Returns whether there were any.
    fn wake_first(&self, limit: usize) -> bool {
        let mut ready = lock(&self.ready);
        let first: Vec<_> = (0..limit).map_while(|_| ready.pop_front()).collect();
        if ready.is_empty() && ready.capacity() > KEPT_PLACES {
            *ready = VecDeque::new();
        }
        drop(ready);
        let is_any = !first.is_empty();
        first.into_iter().for_each(Waker::wake);
        is_any
    }

    /// Empties every lane.
    pub fn clear(&self) {
        let left = std::mem::take(&mut *self.settled());
        drop(left);
    }

    fn settled(&self) -> MutexGuard<'_, HashMap<i64, Lane>> {
        let lanes = lock(&self.by_chat);
        // Only the holder of the lanes takes what was published, so it stays in order.
        let published = std::mem::take(&mut *lock(&self.published));
        for each in published {
            match each {
                Published::Messages(chat_id, messages) => {
                    if let Some(lane) = lanes.get(&chat_id) {
                        lane.show(&messages);
                    }
                }
                Published::Signal(signal) => {
                    if let Some(lane) = lanes.get(&signal.chat_id) {
                        lane.signal(&signal);
                    }
                }
            }
        }
        lanes
    }
}

struct Delegated<'a>(&'a Lanes);

impl Drop for Delegated<'_> {
    fn drop(&mut self) {
        self.0.is_delegated.store(false, Ordering::SeqCst);
        self.0.settle();
        self.0.wake_first(usize::MAX);
    }
}

/// Removes a stream from a lane and returns it. It must be dropped without the lock.
fn remove(lanes: &mut HashMap<i64, Lane>, chat_id: i64, stream: &Stream) -> Option<Arc<Stream>> {
    let lane = lanes.get_mut(&chat_id)?;
    let left = lane.remove(stream);
    if lane.is_empty() {
        lanes.remove(&chat_id);
    }
    left
}
