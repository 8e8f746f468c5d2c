//! The state of the cache, which its lock protects.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::sync::Arc;
use std::time::Instant;

use quick_cache::unsync::{Cache, DefaultLifecycle};

use super::entry::{Entry, EntryKey, Evictions, GRANT_BYTES, Grant, GrantKey, Wanted, Weight};
use super::label::Scope;
use super::log::{Event, Log, Lost};
use super::position::Position;
use super::{Answer, Begun, CacheCounts, Found};
use crate::token::Claims;

/// Maximum number of workspaces. The least recently used one is dropped.
pub const MAX_LOGS: usize = 1_024;
/// Maximum number of keys of all workspaces together. Each workspace may have at least `MIN_KEYS`.
pub const MAX_KEYS: usize = 65_536;
const MIN_KEYS: usize = 256;
/// Grants use at most the memory divided by this number.
const GRANTS_SHARE: u64 = 16;
/// The expected size of an answer.
const ANSWER_BYTES: u64 = 8 << 10;

/// The answers, the grants and the logs of their workspaces.
pub struct State {
    /// The logs by workspace.
    pub logs: HashMap<i64, Log>,
    /// The answers.
    pub entries: Cache<Arc<EntryKey>, Entry, Weight, RandomState, Evictions>,
    /// The grants.
    pub grants: Cache<GrantKey, Grant, Weight, RandomState, DefaultLifecycle<GrantKey, Grant>>,
    /// The counts.
    pub counts: CacheCounts,
    generations: u64,
    uses: u64,
    /// When the heads of the logs were last asked for.
    pub reading_began: Instant,
}

impl State {
    /// Creates the state of a cache that uses at most `bytes` of memory.
    pub fn new(bytes: u64) -> Self {
        let number = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let grants = (bytes / GRANTS_SHARE).max(1);
        let answers = bytes - grants.min(bytes);
        let entries = Cache::with(number(answers / ANSWER_BYTES), answers, Weight, RandomState::new(), Evictions);
        let most = number(grants / GRANT_BYTES);
        let grants = Cache::with(most, grants, Weight, RandomState::new(), DefaultLifecycle::default());
        Self {
            logs: HashMap::new(),
            entries,
            grants,
            counts: CacheCounts::default(),
            generations: 0,
            uses: 0,
            reading_began: Instant::now(),
        }
    }

    /// Returns the log of a workspace, and creates it if it does not exist.
    pub fn log(&mut self, workspace_id: i64, now: Instant) -> &mut Log {
        if !self.logs.contains_key(&workspace_id) {
            if self.logs.len() >= MAX_LOGS {
                self.drop_least_used();
            }
            self.generations += 1;
        }
        self.uses += 1;
        let log = self.logs.entry(workspace_id).or_insert_with(|| Log::new(self.generations, now));
        log.used = self.uses;
        log
    }

    fn drop_least_used(&mut self) {
        let least = self.logs.iter().min_by_key(|(_, log)| log.used).map(|(id, _)| *id);
        if let Some(id) = least {
            self.drop_log(id);
        }
    }

    /// Changes the log of a workspace if it exists, and drops it if the change returns [`Lost`].
    pub fn change(&mut self, workspace_id: i64, change: impl FnOnce(&mut Log) -> Result<(), Lost>) {
        if self.logs.get_mut(&workspace_id).is_some_and(|log| change(log).is_err()) {
            self.drop_log(workspace_id);
        }
    }

    /// Drops a log with its answers. Its grants end, because the next log has another generation.
    pub fn drop_log(&mut self, workspace_id: i64) {
        if let Some(mut log) = self.logs.remove(&workspace_id) {
            let entries: Vec<_> = log.take_entries().collect();
            self.remove(entries);
        }
    }

    fn remove(&mut self, entries: impl IntoIterator<Item = Arc<EntryKey>>) {
        for key in entries {
            self.counts.purged += u64::from(self.entries.remove(&key).is_some());
        }
    }

    /// Notes an event.
    pub fn pass(&mut self, event: &Event<'_>) {
        let most = (MAX_KEYS / self.logs.len().max(1)).max(MIN_KEYS);
        let Some(log) = self.logs.get_mut(&event.workspace_id) else { return };
        let mut purged = Vec::new();
        let passed = log.pass(event, &mut purged);
        let is_lost = passed.is_err() || log.len() > most;
        self.remove(purged);
        if is_lost {
            self.drop_log(event.workspace_id);
        }
    }

    /// Returns an answer that the reader may receive.
    pub fn find(
        &mut self,
        wanted: &Wanted<'_>,
        reader: &Claims,
        seen: Option<&Position>,
        now: Instant,
    ) -> Option<Found> {
        self.uses += 1;
        let log = self.logs.get_mut(&wanted.workspace_id)?;
        log.used = self.uses;
        if !log.serves(reader.session_id, seen, now) {
            return None;
        }
        let entry = self.entries.get(wanted)?;
        if entry.generation != log.generation || !log.holds(entry.read, &entry.keys) {
            return None;
        }
        if let Scope::Chat { chat_id, right } = &entry.scope {
            let key = GrantKey { session_id: reader.session_id, chat_id: *chat_id, right: Arc::clone(right) };
            let grant = self.grants.get(&key).filter(|grant| grant.generation == log.generation)?;
            if !log.allows(grant.read, *chat_id, reader.user_id) {
                return None;
            }
        }
        Some(Found { body: entry.body.clone(), headers: entry.headers.clone(), cursor: log.cursor()? })
    }

    /// Stores an answer and the reader's grant, unless a later event has already changed them.
    ///
    /// # Errors
    /// [`Lost`]: the log went back in time, or has another era.
    pub fn store(&mut self, begun: &Begun, reader: &Claims, answer: Answer<'_>) -> Result<(), Lost> {
        let Answer { target, coding, headers, label, position, body } = answer;
        let Some(log) = self.logs.get_mut(&begun.workspace_id) else { return Ok(()) };
        if log.generation != begun.generation {
            return Ok(());
        }
        if position.seq < begun.passed {
            // The log went back in time.
            return Err(Lost);
        }
        log.begin(&position, begun.at)?;
        let (read, generation, workspace_id) = (position.seq, log.generation, begun.workspace_id);
        let session_id = if let Scope::Chat { chat_id, right } = &label.scope {
            if log.allows(read, *chat_id, reader.user_id) {
                let key = GrantKey { session_id: reader.session_id, chat_id: *chat_id, right: Arc::clone(right) };
                self.grants.insert(key, Grant { read, generation });
            }
            0
        } else {
            reader.session_id
        };
        if log.holds(read, &label.keys) {
            let key = Arc::new(EntryKey { workspace_id, session_id, target: target.into(), coding });
            log.index(&key, &label.keys);
            self.insert(key, Entry { body, headers, scope: label.scope, keys: label.keys, read, generation });
        }
        Ok(())
    }

    fn insert(&mut self, key: Arc<EntryKey>, entry: Entry) {
        let mut evicted = Vec::new();
        self.entries.insert_with_lifecycle(key, entry, &mut evicted);
        for (key, entry) in evicted {
            if let Some(log) = self.logs.get_mut(&key.workspace_id) {
                log.forget(&key, &entry.keys);
            }
        }
    }
}
