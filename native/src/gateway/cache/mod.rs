//! A cache of the app's answers. It does not know who may read what.
//!
//! The app labels an answer with its readers and with the keys of the events that change it ([`label`]). A shared
//! answer goes only to a session with a *grant*: the app itself has sent this session an answer that needs the same
//! right in the same chat. Every event passes through [`ResponseCache::pass`] before anybody sees it. It removes the
//! answers with its keys and ends the grants that it may concern ([`log`]).
//!
//! Each answer and each grant belongs to a number of the event log, at which it was read. It is stored only if no event
//! that changes it has passed since. Then it is also valid at the current position, the number up to which every event
//! has passed. [`responses`] serves it.

pub mod entry;
pub mod label;
pub mod log;
pub mod position;
pub mod responses;
mod state;
pub mod usual;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

use crate::coding::Coding;
use crate::token::Claims;
use entry::Wanted;
use label::Label;
use log::{Event, Lost};
use position::Position;
use state::State;

/// The counts of the cache. `entries`, `bytes` and `grants` are current numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheCounts {
    /// Answers that were served.
    pub hits: u64,
    /// Requests that could have been served, but were forwarded.
    pub misses: u64,
    /// Answers that events removed.
    pub purged: u64,
    /// Stored answers.
    pub entries: u64,
    /// The memory of answers and grants.
    pub bytes: u64,
    /// Grants, including those that have ended and were not removed yet.
    pub grants: u64,
}

/// A request that is forwarded to the app, and whose answer may be stored.
#[derive(Clone, Copy, Debug)]
pub struct Begun {
    workspace_id: i64,
    generation: u64,
    passed: u64,
    at: Instant,
}

/// An answer of the app.
#[derive(Clone, Debug)]
pub struct Answer<'a> {
    /// Path and query of the request.
    pub target: &'a str,
    /// The content coding that the reader wants.
    pub coding: Option<Coding>,
    /// The headers that describe the body.
    pub headers: HeaderMap,
    /// Who may receive it, and which events change it.
    pub label: Label,
    /// The answer includes every event up to this position.
    pub position: Position,
    /// The body.
    pub body: Bytes,
}

/// A stored answer, and the position up to which it includes every event.
#[derive(Clone, Debug)]
pub struct Found {
    /// The body.
    pub body: Bytes,
    /// The headers that describe the body.
    pub headers: HeaderMap,
    /// The value of `Event-Cursor`.
    pub cursor: HeaderValue,
}

/// The head of a workspace's log.
#[derive(Clone, Debug)]
pub struct Head {
    /// The workspace.
    pub workspace_id: i64,
    /// The newest number.
    pub position: Position,
    /// Whether the log contains the position of the cache.
    pub kept: bool,
}

/// The cache. Any thread may call it.
pub struct ResponseCache(Mutex<State>);

impl fmt::Debug for ResponseCache {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("ResponseCache").field(&self.counts()).finish()
    }
}

impl ResponseCache {
    /// Creates a cache that uses at most `bytes` of memory.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        Self(Mutex::new(State::new(bytes)))
    }

    /// Notes that a request is forwarded now.
    #[must_use]
    pub fn begin(&self, workspace_id: i64) -> Begun {
        let (mut state, at) = (self.lock(), Instant::now());
        let log = state.log(workspace_id, at);
        Begun { workspace_id, generation: log.generation, passed: log.passed(), at }
    }

    /// Returns a stored answer if this reader may receive it, and if no answer or event has shown a later position.
    /// `seen` is the position that the reader has sent.
    #[must_use]
    pub fn find(&self, wanted: &Wanted<'_>, reader: &Claims, seen: Option<&Position>) -> Option<Found> {
        self.lock().find(wanted, reader, seen, Instant::now())
    }

    /// Counts a request that the cache served, or could have served.
    pub fn count(&self, hit: bool) {
        let counts = &mut self.lock().counts;
        *(if hit { &mut counts.hits } else { &mut counts.misses }) += 1;
    }

    /// Stores an answer that the app has sent to `reader`, and the reader's grant.
    pub fn store(&self, begun: &Begun, reader: &Claims, answer: Answer<'_>) {
        let mut state = self.lock();
        if state.store(begun, reader, answer) == Err(Lost) {
            state.drop_log(begun.workspace_id);
        }
    }

    /// Notes that the app has shown this position to somebody.
    pub fn show(&self, workspace_id: i64, position: &Position) {
        self.lock().change(workspace_id, |log| log.show(position));
    }

    /// Notes that the app has refused a request of a session. The refusal may show an event that has not passed yet.
    pub fn doubt(&self, workspace_id: i64, session_id: i64) {
        self.lock().change(workspace_id, |log| {
            log.doubt(session_id, Instant::now());
            Ok(())
        });
    }

    /// Removes the answers that these events change, and ends the grants that they may concern. It must return before
    /// anybody sees the events.
    pub fn pass<'a>(&self, events: impl IntoIterator<Item = Event<'a>>) {
        let mut state = self.lock();
        for event in events {
            state.pass(&event);
        }
    }

    /// Whether [`Self::pass`] would have an effect.
    #[must_use]
    pub fn is_used(&self) -> bool {
        !self.lock().logs.is_empty()
    }

    /// Returns workspace, era and number of each position whose log must be read; [`Self::read_heads`] follows.
    #[must_use]
    pub fn places(&self) -> Vec<(i64, String, u64)> {
        let mut state = self.lock();
        state.reading_began = Instant::now();
        let mut places = Vec::new();
        for (id, log) in &mut state.logs {
            let place = log.place().map(|(era, seq)| (*id, era.to_owned(), seq));
            log.polled = place.is_some();
            places.extend(place);
        }
        places
    }

    /// Notes the heads of the logs of [`Self::places`]. A workspace without a head was removed.
    pub fn read_heads(&self, heads: &[Head]) {
        let mut state = self.lock();
        let (began, by_id) = (state.reading_began, heads.iter().map(|head| (head.workspace_id, head)));
        let by_id: HashMap<_, _> = by_id.collect();
        let polled: Vec<i64> = state.logs.iter().filter(|(_, log)| log.polled).map(|(id, _)| *id).collect();
        for id in polled {
            let head = by_id.get(&id);
            state.change(id, |log| head.map_or(Err(Lost), |head| log.read_head(&head.position, head.kept, began)));
        }
    }

    /// Drops everything.
    pub fn clear(&self) {
        let mut state = self.lock();
        let workspaces: Vec<i64> = state.logs.keys().copied().collect();
        for workspace_id in workspaces {
            state.drop_log(workspace_id);
        }
        state.grants.clear();
    }

    /// Returns the counts.
    #[must_use]
    pub fn counts(&self) -> CacheCounts {
        let state = self.lock();
        CacheCounts {
            entries: state.entries.len() as u64,
            bytes: state.entries.weight() + state.grants.weight(),
            grants: state.grants.len() as u64,
            ..state.counts
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no thread panics while it holds the lock")
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
