//! The contents of the cache: answers, and grants of rights to sessions.

use std::hash::Hash;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use quick_cache::{Equivalent, Lifecycle, Weighter};

use super::label::Scope;
use super::log::Key;
use crate::coding::Coding;

/// The memory of an entry in addition to its body and its key: the structs, the tables and the index.
const ENTRY_BYTES: usize = 512;
/// The memory of a grant.
pub const GRANT_BYTES: u64 = 256;

/// Names a stored answer.
#[derive(Debug, Hash, PartialEq, Eq)]
pub struct EntryKey {
    /// The workspace of the readers.
    pub workspace_id: i64,
    /// The only reader, or 0 if the answer is shared.
    pub session_id: i64,
    /// Path and query.
    pub target: Box<str>,
    /// The content coding that the readers want.
    pub coding: Option<Coding>,
}

/// A borrowed `EntryKey`, to find an entry.
#[derive(Clone, Copy, Debug, Hash)]
pub struct Wanted<'a> {
    /// The workspace of the reader.
    pub workspace_id: i64,
    /// The reader, or 0 for a shared answer.
    pub session_id: i64,
    /// Path and query.
    pub target: &'a str,
    /// The content coding that the reader wants.
    pub coding: Option<Coding>,
}

impl Equivalent<Arc<EntryKey>> for Wanted<'_> {
    fn equivalent(&self, key: &Arc<EntryKey>) -> bool {
        let is_same = self.workspace_id == key.workspace_id && self.session_id == key.session_id;
        is_same && *self.target == *key.target && self.coding == key.coding
    }
}

/// A stored answer.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The body.
    pub body: Bytes,
    /// The headers that describe the body.
    pub headers: HeaderMap,
    /// Who may receive it.
    pub scope: Scope,
    /// An event with one of these keys changes the answer.
    pub keys: Box<[Key]>,
    /// The answer includes every event of the log up to this number.
    pub read: u64,
    /// The generation of the log.
    pub generation: u64,
}

/// Names a right of a session in a chat.
#[derive(Clone, Debug, Hash, PartialEq, Eq)]
pub struct GrantKey {
    /// The session.
    pub session_id: i64,
    /// The chat.
    pub chat_id: i64,
    /// The name of the right.
    pub right: Arc<str>,
}

/// Shows that the app has sent a session an answer that needs a right.
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    /// The number of the event log at which the session had the right.
    pub read: u64,
    /// The generation of the log.
    pub generation: u64,
}

/// The memory of answers and grants, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Weight;

impl Weighter<Arc<EntryKey>, Entry> for Weight {
    fn weight(&self, key: &Arc<EntryKey>, entry: &Entry) -> u64 {
        (entry.body.len() + key.target.len() + ENTRY_BYTES) as u64
    }
}

impl Weighter<GrantKey, Grant> for Weight {
    fn weight(&self, _: &GrantKey, _: &Grant) -> u64 {
        GRANT_BYTES
    }
}

/// Collects the answers that were dropped to make room.
#[derive(Clone, Copy, Debug)]
pub struct Evictions;

impl Lifecycle<Arc<EntryKey>, Entry> for Evictions {
    type RequestState = Vec<(Arc<EntryKey>, Entry)>;

    fn on_evict(&self, evicted: &mut Self::RequestState, key: Arc<EntryKey>, entry: Entry) {
        evicted.push((key, entry));
    }
}
