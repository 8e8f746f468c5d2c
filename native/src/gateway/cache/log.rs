//! The gateway's knowledge of the event log of one workspace: the number up to which every event has passed, and the
//! newest event of each key. An answer that was read at a number is valid until a later event has one of its keys.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::HeaderValue;

use super::entry::EntryKey;
use super::position::Position;

/// Nothing is served if the last read of the log's head is older than this.
pub const MAX_HEAD_AGE: Duration = Duration::from_secs(2);
/// The log is dropped if more events than this wait for an earlier one.
const MAX_LATER: usize = 10_000;
/// If more sessions than this are in doubt, every session counts as in doubt.
const MAX_DOUBTS: usize = 1_024;

/// What an event is about.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub enum Key {
    /// A chat.
    Chat(i64),
    /// A person.
    User(i64),
}

/// An event of a workspace. The id 0 stands for every chat or every person.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// The workspace.
    pub workspace_id: i64,
    /// The number of the event.
    pub seq: u64,
    /// The era of the number.
    pub era: &'a str,
    /// The chat, or 0.
    pub chat_id: i64,
    /// The person, or 0.
    pub user_id: i64,
    /// Whether the event may change rights.
    pub rights: bool,
}

/// The state no longer matches the event log, so it must be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost;

/// The newest event of a key, and the answers that have the key.
#[derive(Debug, Default)]
struct Keyed {
    seq: u64,
    entries: HashSet<Arc<EntryKey>>,
}

/// The state of one log.
#[derive(Debug)]
pub struct Log {
    /// Unique among all logs, including earlier logs of the same workspace.
    pub generation: u64,
    /// The value of the cache's counter of uses when the log was last used.
    pub used: u64,
    /// Whether the head is being read.
    pub polled: bool,
    era: Option<Box<str>>,
    /// Every event up to this number has passed. `None` until the first answer shows a position.
    passed: Option<u64>,
    /// Numbers that passed before an earlier one.
    later: BTreeSet<u64>,
    /// The newest number that an event, an answer or the head of the log has shown.
    shown: u64,
    /// The head when it was read last.
    head: u64,
    head_read: Instant,
    /// Answers that were read before this number are not valid.
    floor: u64,
    keys: HashMap<Key, Keyed>,
    /// The newest change of rights by chat and person; the id 0 stands for every chat or person.
    ended: HashMap<(i64, i64), u64>,
    /// Sessions that may have seen events after `shown`, and since when. A new read of the head removes them.
    doubts: HashMap<i64, Instant>,
    doubt: Option<Instant>,
    cursor: Option<(u64, HeaderValue)>,
}

impl Log {
    /// Creates the state of a log of which nothing is known yet.
    #[must_use]
    pub fn new(generation: u64, now: Instant) -> Self {
        Self {
            generation,
            used: 0,
            polled: false,
            era: None,
            passed: None,
            later: BTreeSet::new(),
            shown: 0,
            head: 0,
            head_read: now,
            floor: 0,
            keys: HashMap::new(),
            ended: HashMap::new(),
            doubts: HashMap::new(),
            doubt: None,
            cursor: None,
        }
    }

    /// Returns the number up to which every event has passed; 0 if it is unknown.
    #[must_use]
    pub fn passed(&self) -> u64 {
        self.passed.unwrap_or(0)
    }

    /// Returns era and number of the position, if it is known.
    #[must_use]
    pub fn place(&self) -> Option<(&str, u64)> {
        Some((self.era.as_deref()?, self.passed?))
    }

    /// Number of keys and changes of rights that are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len() + self.ended.len()
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Notes an event. Appends the answers that it changes to `purged`.
    ///
    /// # Errors
    /// [`Lost`]: the event is of another era, or too many earlier ones are missing.
    pub fn pass(&mut self, event: &Event<'_>, purged: &mut Vec<Arc<EntryKey>>) -> Result<(), Lost> {
        self.check_era(event.era)?;
        let seq = event.seq;
        if self.passed.is_some_and(|passed| seq <= passed) {
            return Ok(());
        }
        self.shown = self.shown.max(seq);
        self.purge(event, purged);
        self.later.insert(seq);
        self.advance();
        if self.later.len() > MAX_LATER { Err(Lost) } else { Ok(()) }
    }

    fn purge(&mut self, event: &Event<'_>, purged: &mut Vec<Arc<EntryKey>>) {
        let (chat, user, seq) = (event.chat_id, event.user_id, event.seq);
        if chat == 0 && user == 0 {
            self.floor = self.floor.max(seq);
            purged.extend(self.keys.values_mut().flat_map(|keyed| keyed.entries.drain()));
        }
        let keys = [(chat, Key::Chat(chat)), (user, Key::User(user))];
        for (_, key) in keys.into_iter().filter(|(id, _)| *id != 0) {
            let keyed = self.keys.entry(key).or_default();
            keyed.seq = keyed.seq.max(seq);
            purged.extend(keyed.entries.drain());
        }
        if event.rights {
            let ended = self.ended.entry((chat, user)).or_default();
            *ended = seq.max(*ended);
        }
    }

    fn advance(&mut self) {
        let Some(passed) = &mut self.passed else { return };
        while self.later.first() == Some(&(*passed + 1)) {
            *passed += 1;
            self.later.pop_first();
        }
    }

    /// Begins at the position of an answer, unless the log has begun already. The answer includes every event that
    /// passed before the app was `asked` for it.
    ///
    /// # Errors
    /// [`Lost`]: the position is of another era.
    pub fn begin(&mut self, position: &Position, asked: Instant) -> Result<(), Lost> {
        self.check_era(&position.era)?;
        if self.passed.is_none() {
            self.passed = Some(position.seq);
            self.later = self.later.split_off(&(position.seq + 1));
            self.floor = self.floor.max(position.seq);
            self.head_read = asked;
            self.advance();
        }
        Ok(())
    }

    /// Notes that somebody has seen this position.
    ///
    /// # Errors
    /// [`Lost`]: the position is of another era.
    pub fn show(&mut self, position: &Position) -> Result<(), Lost> {
        self.check_era(&position.era)?;
        self.shown = self.shown.max(position.seq);
        Ok(())
    }

    /// Notes that a session may have seen events after every known position.
    pub fn doubt(&mut self, session_id: i64, now: Instant) {
        if self.doubts.len() >= MAX_DOUBTS {
            self.doubts.clear();
            self.doubt = Some(now);
        }
        self.doubts.insert(session_id, now);
    }

    /// Notes the head of the log. `began`: when the read of the head began. `kept`: whether the log still contained the
    /// current position.
    ///
    /// # Errors
    /// [`Lost`]: the log went back in time, or an event is missing that the previous head included already.
    pub fn read_head(&mut self, head: &Position, kept: bool, began: Instant) -> Result<(), Lost> {
        if !kept || self.passed() < self.head {
            return Err(Lost);
        }
        self.show(head)?;
        self.head = head.seq;
        self.head_read = self.head_read.max(began);
        self.doubts.retain(|_, since| *since > began);
        self.doubt = self.doubt.filter(|since| *since > began);
        Ok(())
    }

    /// Whether answers may be served to a session that has sent this position.
    #[must_use]
    pub fn serves(&self, session_id: i64, seen: Option<&Position>, now: Instant) -> bool {
        let Some((era, passed)) = self.place() else { return false };
        let is_seen = seen.is_none_or(|seen| *seen.era == *era && seen.seq <= passed);
        let is_fresh = now.saturating_duration_since(self.head_read) <= MAX_HEAD_AGE;
        let is_doubted = self.doubt.is_some() || self.doubts.contains_key(&session_id);
        self.shown <= passed && is_seen && is_fresh && !is_doubted
    }

    /// Whether an answer that was read at the number `read` is valid.
    #[must_use]
    pub fn holds(&self, read: u64, keys: &[Key]) -> bool {
        read >= self.floor && keys.iter().all(|key| self.keys.get(key).is_none_or(|keyed| keyed.seq <= read))
    }

    /// Whether a right of a person in a chat that was read at the number `read` is valid.
    #[must_use]
    pub fn allows(&self, read: u64, chat_id: i64, user_id: i64) -> bool {
        let ends = [(chat_id, 0), (0, user_id), (chat_id, user_id)];
        read >= self.floor && ends.iter().all(|end| self.ended.get(end).is_none_or(|seq| *seq <= read))
    }

    /// Remembers which keys an answer has.
    pub fn index(&mut self, entry: &Arc<EntryKey>, keys: &[Key]) {
        for key in keys {
            self.keys.entry(*key).or_default().entries.insert(Arc::clone(entry));
        }
    }

    /// Forgets an answer that is no longer stored.
    pub fn forget(&mut self, entry: &Arc<EntryKey>, keys: &[Key]) {
        for key in keys {
            if let Some(keyed) = self.keys.get_mut(key) {
                keyed.entries.remove(entry);
            }
        }
    }

    /// Removes and returns all answers.
    pub fn take_entries(&mut self) -> impl Iterator<Item = Arc<EntryKey>> {
        self.keys.drain().flat_map(|(_, keyed)| keyed.entries)
    }

    /// Returns the current value of `Event-Cursor` for answers.
    pub fn cursor(&mut self) -> Option<HeaderValue> {
        let (era, passed) = self.place()?;
        if let Some((_, value)) = self.cursor.as_ref().filter(|(seq, _)| *seq == passed) {
            return Some(value.clone());
        }
        let value = HeaderValue::try_from(Position { era: era.into(), seq: passed }.to_string()).ok()?;
        self.cursor = Some((passed, value.clone()));
        Some(value)
    }

    fn check_era(&mut self, era: &str) -> Result<(), Lost> {
        match self.era.as_deref() {
            Some(known) if known != era => Err(Lost),
            Some(_) => Ok(()),
            None => {
                self.era = Some(era.into());
                Ok(())
            }
        }
    }
}
