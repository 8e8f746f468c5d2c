//! Messages as columns over one arena: what the writer decides on and the database driver reads.

use crate::arena::Reuse;
use crate::message::Message;

/// Who sends what to where; the token and the route said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The chat that shall hold the message.
    pub chat_id: i64,
    /// Who sends it.
    pub sender_id: i64,
    /// With which session.
    pub session_id: i64,
}

/// The columns of a batch; all have one length, the two of offsets one more.
#[derive(Debug, PartialEq, Eq)]
pub struct Columns {
    /// The chat of each row.
    pub chat_ids: Vec<i64>,
    /// The sender of each row.
    pub sender_ids: Vec<i64>,
    /// The session of each row.
    pub session_ids: Vec<i64>,
    /// The fingerprint of each row's content.
    pub fingerprints: Vec<i64>,
    /// Row `i` is `arena[content_offsets[i]..content_offsets[i + 1]]`, in bytes.
    pub content_offsets: Vec<i64>,
    /// All contents, one after the other, as UTF-8.
    pub arena: String,
    key_offsets: Vec<i64>,
    keys: String,
}

impl Default for Columns {
    fn default() -> Self {
        Self {
            chat_ids: Vec::new(),
            sender_ids: Vec::new(),
            session_ids: Vec::new(),
            fingerprints: Vec::new(),
            content_offsets: vec![0],
            arena: String::new(),
            key_offsets: vec![0],
            keys: String::new(),
        }
    }
}

impl Columns {
    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chat_ids.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chat_ids.is_empty()
    }

    /// The content of a row.
    ///
    /// # Panics
    /// When there is no such row.
    #[must_use]
    pub fn content(&self, row: usize) -> &str {
        slice(&self.arena, &self.content_offsets, row)
    }

    /// The key of a row in its sender's spelling.
    ///
    /// # Panics
    /// When there is no such row.
    #[must_use]
    pub fn key(&self, row: usize) -> Option<&str> {
        // No key is empty, so an empty slice means none.
        Some(slice(&self.keys, &self.key_offsets, row)).filter(|key| !key.is_empty())
    }

    /// Appends a row: the message's one copy.
    pub fn push(&mut self, origin: Origin, message: &Message<'_>, fingerprint: i64) {
        message.content.append_to(&mut self.arena);
        self.push_row(origin, fingerprint, message.key.as_deref());
    }

    /// Moves the first `count` rows of `source`, which has as many, behind the own ones.
    pub fn move_front(&mut self, source: &mut Self, count: usize) {
        for row in 0..count {
            self.arena.push_str(source.content(row));
            let origin = Origin {
                chat_id: source.chat_ids[row],
                sender_id: source.sender_ids[row],
                session_id: source.session_ids[row],
            };
            self.push_row(origin, source.fingerprints[row], source.key(row));
        }
        source.remove_front(count);
    }

    /// Appends the row whose content was just put into the arena.
    fn push_row(&mut self, origin: Origin, fingerprint: i64, key: Option<&str>) {
        self.chat_ids.push(origin.chat_id);
        self.sender_ids.push(origin.sender_id);
        self.session_ids.push(origin.session_id);
        self.fingerprints.push(fingerprint);
        self.content_offsets.push(offset(self.arena.len()));
        self.keys.push_str(key.unwrap_or_default());
        self.key_offsets.push(offset(self.keys.len()));
    }

    fn remove_front(&mut self, count: usize) {
        for column in [&mut self.chat_ids, &mut self.sender_ids, &mut self.session_ids, &mut self.fingerprints] {
            column.drain(..count);
        }
        remove_front_texts(&mut self.arena, &mut self.content_offsets, count);
        remove_front_texts(&mut self.keys, &mut self.key_offsets, count);
    }
}

impl Reuse for Columns {
    fn clear(&mut self) {
        for column in [&mut self.chat_ids, &mut self.sender_ids, &mut self.session_ids, &mut self.fingerprints] {
            column.clear();
        }
        self.arena.clear();
        self.keys.clear();
        for offsets in [&mut self.content_offsets, &mut self.key_offsets] {
            offsets.clear();
            offsets.push(0);
        }
    }

    fn held_bytes(&self) -> usize {
        self.arena.capacity() + self.keys.capacity() + 6 * size_of::<i64>() * self.chat_ids.capacity()
    }
}

fn slice<'a>(texts: &'a str, offsets: &[i64], row: usize) -> &'a str {
    &texts[position(offsets[row])..position(offsets[row + 1])]
}

fn remove_front_texts(texts: &mut String, offsets: &mut Vec<i64>, count: usize) {
    let removed = offsets[count];
    texts.drain(..position(removed));
    offsets.drain(..count);
    for offset in offsets {
        *offset -= removed;
    }
}

/// Offsets are signed like the other columns, so that Python sees one type.
#[expect(clippy::cast_possible_wrap, reason = "no allocation reaches 2^63 bytes")]
fn offset(bytes: usize) -> i64 {
    bytes as i64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was made from a usize by offset()")]
fn position(offset: i64) -> usize {
    offset as usize
}
