//! The messages of one batch as columns. Python decides on the integers; the database driver gets the texts.

use crate::arena::Arena;
use crate::message::Message;
use crate::pool::Reuse;

/// Sender and destination of a message. The access token and the URL determine them, not the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The chat that receives the message.
    pub chat_id: i64,
    /// The thread that receives the message; 0 = the chat itself.
    pub thread_id: i64,
    /// The user who sends it.
    pub sender_id: i64,
    /// The session with which the user sends it.
    pub session_id: i64,
}

/// One value per row in each column.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// The chat of each row.
    pub chat_ids: Vec<i64>,
    /// The thread of each row; 0 = the chat itself.
    pub thread_ids: Vec<i64>,
    /// The sender of each row.
    pub sender_ids: Vec<i64>,
    /// The session of each row.
    pub session_ids: Vec<i64>,
    /// [`Message::fingerprint`] of each row.
    pub fingerprints: Vec<i64>,
    contents: Arena,
    keys: Arena,
    extras: Arena,
}

impl Columns {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chat_ids.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chat_ids.is_empty()
    }

    /// The content of a row.
    ///
    /// # Panics
    /// If the row does not exist.
    #[must_use]
    pub fn content(&self, row: usize) -> &str {
        self.contents.get(row)
    }

    /// The idempotency key of a row as the sender wrote it.
    ///
    /// # Panics
    /// If the row does not exist.
    #[must_use]
    pub fn key(&self, row: usize) -> Option<&str> {
        // A valid key is not empty, so an empty text means that there is no key.
        Some(self.keys.get(row)).filter(|key| !key.is_empty())
    }

    /// The JSON object with the optional fields of a row.
    ///
    /// # Panics
    /// If the row does not exist.
    #[must_use]
    pub fn extras(&self, row: usize) -> Option<&str> {
        // The shortest object is `{}`, so an empty text means that there are no extras.
        Some(self.extras.get(row)).filter(|extras| !extras.is_empty())
    }

    /// Whether a row has extras.
    #[must_use]
    pub fn has_extras(&self) -> bool {
        self.extras.len_bytes() > 0
    }

    /// Size of all contents and extras in bytes.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        self.contents.len_bytes() + self.extras.len_bytes()
    }

    /// Appends a row. This makes the only copy of the message between its body and the batch.
    pub fn push(&mut self, origin: Origin, message: &Message<'_>, fingerprint: i64) {
        self.chat_ids.push(origin.chat_id);
        self.thread_ids.push(origin.thread_id);
        self.sender_ids.push(origin.sender_id);
        self.session_ids.push(origin.session_id);
        self.fingerprints.push(fingerprint);
        self.contents.push(|out| out.push_str(message.content.as_str()));
        self.keys.push(|out| out.push_str(message.key.as_deref().unwrap_or_default()));
        self.extras.push(|out| message.extras.into_iter().for_each(|extras| extras.append_to(out)));
    }

    fn integers(&mut self) -> [&mut Vec<i64>; 5] {
        let Self { chat_ids, thread_ids, sender_ids, session_ids, fingerprints, .. } = self;
        [chat_ids, thread_ids, sender_ids, session_ids, fingerprints]
    }
}

impl Reuse for Columns {
    fn clear(&mut self) {
        self.integers().into_iter().for_each(Vec::clear);
        for arena in [&mut self.contents, &mut self.keys, &mut self.extras] {
            arena.clear();
        }
    }

    fn allocated_bytes(&self) -> usize {
        let texts = [&self.contents, &self.keys, &self.extras].map(Arena::allocated_bytes);
        texts.iter().sum::<usize>() + 5 * size_of::<i64>() * self.chat_ids.capacity()
    }
}
