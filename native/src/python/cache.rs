//! The binding of `ResponseCache`.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;

use crate::gateway::cache::log::Event;
use crate::gateway::cache::position::Position;
use crate::gateway::cache::{self, Head};

/// Workspace, number, era, chat, person, and whether the event may change rights. 0 stands for every chat or person.
type PythonEvent = (i64, u64, PyBackedStr, i64, i64, bool);

/// The gateway's cache of answers of the app. Any thread may call it.
#[pyclass(module = "fechatter._native", frozen)]
pub struct ResponseCache(Arc<cache::ResponseCache>);

impl ResponseCache {
    /// The cache, for the gateway.
    pub fn shared(&self) -> Arc<cache::ResponseCache> {
        Arc::clone(&self.0)
    }
}

#[pymethods]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 converts an argument into a value")]
impl ResponseCache {
    /// Create a cache that uses at most `bytes` of memory.
    #[new]
    fn new(bytes: u64) -> Self {
        Self(Arc::new(cache::ResponseCache::new(bytes)))
    }

    /// Whether `note_events` would have an effect.
    fn is_used(&self) -> bool {
        self.0.is_used()
    }

    /// Remove the answers that committed events change, and end the grants that they may concern.
    fn note_events(&self, events: Vec<PythonEvent>) {
        self.0.pass(events.iter().map(|(workspace_id, seq, era, chat_id, user_id, rights)| Event {
            workspace_id: *workspace_id,
            seq: *seq,
            era,
            chat_id: *chat_id,
            user_id: *user_id,
            rights: *rights,
        }));
    }

    /// Serve no older state of a workspace than this position.
    fn note_shown(&self, workspace_id: i64, era: &str, seq: u64) {
        self.0.show(workspace_id, &Position { era: era.into(), seq });
    }

    /// Return (workspace, era, number) of each position whose log must be read; `note_heads` follows.
    fn places(&self) -> Vec<(i64, String, u64)> {
        self.0.places()
    }

    /// Note the heads of the logs of `places`: workspace, era, number, and whether the log contains the position of
    /// `places`.
    fn note_heads(&self, heads: Vec<(i64, PyBackedStr, u64, bool)>) {
        let heads: Vec<_> = heads
            .iter()
            .map(|(workspace_id, era, seq, kept)| Head {
                workspace_id: *workspace_id,
                position: Position { era: (**era).into(), seq: *seq },
                kept: *kept,
            })
            .collect();
        self.0.read_heads(&heads);
    }

    /// Drop everything.
    fn clear(&self) {
        self.0.clear();
    }

    /// Return (hits, misses, purged answers, stored answers, bytes, grants).
    fn counts(&self) -> (u64, u64, u64, u64, u64, u64) {
        let counts = self.0.counts();
        (counts.hits, counts.misses, counts.purged, counts.entries, counts.bytes, counts.grants)
    }
}
