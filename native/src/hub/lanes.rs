//! Lanes: the streams that see the messages of one chat.
//!
//! [`Lanes::publish`] costs the same for every number of streams. The gateway's thread distributes the messages later,
//! in the order of their publication. Every other operation on a stream first distributes the messages that
//! were published before it ([`Lanes::settle`]), so the order never changes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;

use super::block::Block;
use super::lock;
use super::stream::Stream;

/// Maximum size of the messages that are put together into one block.
const RUN_BYTES: usize = 16 << 10;

/// A new message.
#[derive(Debug)]
pub struct Message {
    /// The chat whose lane shows it.
    pub chat_id: i64,
    /// The number of its event.
    pub seq: u64,
    /// How clients receive it.
    pub content: Vec<u8>,
}

#[derive(Debug)]
struct Member {
    stream: Arc<Stream>,
    /// The stream has seen the events up to this number.
    after: u64,
}

/// All lanes of a node.
#[derive(Debug, Default)]
pub struct Lanes {
    published: Mutex<Vec<Message>>,
    members: Mutex<HashMap<i64, HashMap<u64, Member>>>,
    wake: Notify,
    /// Whether the gateway's thread distributes messages.
    is_delegated: AtomicBool,
}

impl Lanes {
    /// Shows a stream the messages of a chat with a higher number than `after`, if they are published from now on.
    pub fn enter(&self, chat_id: i64, stream: &Arc<Stream>, after: u64) {
        let member = Member { stream: Arc::clone(stream), after };
        self.settled().entry(chat_id).or_default().insert(stream.id(), member);
    }

    /// Ends what [`Lanes::enter`] began.
    pub fn leave(&self, chat_id: i64, stream: u64) {
        let mut members = self.settled();
        let Some(lane) = members.get_mut(&chat_id) else { return };
        let left = lane.remove(&stream);
        if lane.is_empty() {
            members.remove(&chat_id);
        }
        drop(members);
        drop(left);
    }

    /// Publishes messages, in the order of their numbers.
    pub fn publish(&self, messages: impl IntoIterator<Item = Message>) {
        lock(&self.published).extend(messages);
        if self.is_delegated.load(Ordering::Acquire) {
            self.wake.notify_one();
        } else {
            self.settle();
        }
    }

    /// Distributes everything that was published.
    pub fn settle(&self) {
        drop(self.settled());
    }

    /// Distributes messages as they are published, until the future is dropped.
    pub async fn distribute(&self) {
        self.is_delegated.store(true, Ordering::Release);
        let _until_dropped = Delegated(self);
        loop {
            self.settle();
            self.wake.notified().await;
        }
    }

    /// Empties every lane.
    pub fn clear(&self) {
        let left = std::mem::take(&mut *self.settled());
        drop(left);
    }

    fn settled(&self) -> MutexGuard<'_, HashMap<i64, HashMap<u64, Member>>> {
        let members = lock(&self.members);
        // Only the holder of the members takes messages, so they stay in order.
        let published = std::mem::take(&mut *lock(&self.published));
        for (chat_id, messages) in by_chat(published) {
            if let Some(lane) = members.get(&chat_id) {
                show(lane, &messages);
            }
        }
        members
    }
}

struct Delegated<'a>(&'a Lanes);

impl Drop for Delegated<'_> {
    fn drop(&mut self) {
        self.0.is_delegated.store(false, Ordering::Release);
        self.0.settle();
    }
}

/// Groups consecutive messages of one chat. A stream may show several chats, so the messages keep their order.
fn by_chat(messages: Vec<Message>) -> Vec<(i64, Vec<Message>)> {
    let mut groups: Vec<(i64, Vec<Message>)> = Vec::new();
    for message in messages {
        match groups.last_mut() {
            Some((chat_id, group)) if *chat_id == message.chat_id => group.push(message),
            _ => groups.push((message.chat_id, vec![message])),
        }
    }
    groups
}

/// Shows messages of one chat to the members of its lane.
fn show(lane: &HashMap<u64, Member>, messages: &[Message]) {
    let mut rest = messages;
    while let Some(first) = rest.first() {
        let mut size = 0;
        let fitting = rest.iter().take_while(|message| {
            size += message.content.len();
            size <= RUN_BYTES
        });
        let (run, later) = rest.split_at(fitting.count().max(1));
        let together = Block::of(run.iter().map(|message| &message.content[..]));
        for member in lane.values() {
            if member.after < first.seq {
                member.stream.push(together.clone());
            } else {
                let unseen = run.iter().filter(|message| message.seq > member.after);
                unseen.for_each(|message| member.stream.push(Block::new(&message.content)));
            }
        }
        rest = later;
    }
}
