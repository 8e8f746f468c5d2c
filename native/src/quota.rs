//! Limits how often something can be tried, with GCRA, the generic cell rate algorithm (ITU-T I.371).
//!
//! The state is one number per key. A full table drops the keys without recent attempts. If that is not enough, it also
//! drops the half of the keys with the fewest attempts. Both entry points count in the same [`Quota`], so every method
//! gets the time from one clock: [`monotonic_seconds`], or a test's own.

use std::collections::HashMap;
use std::mem;
use std::sync::{LazyLock, Mutex, MutexGuard};
use std::time::Instant;

/// Maximum number of keys in a table.
pub const MAX_KEYS: usize = 65_536;
/// The quotas count requests per minute.
pub const WINDOW_SECONDS: u32 = 60;
/// The header with a quota's size.
pub const POLICY_HEADER: &str = "ratelimit-policy";
/// The header with the remaining quota.
pub const REMAINING_HEADER: &str = "ratelimit";
/// Prevents that a rounding error hides the last whole request.
const ROUNDING: f64 = 1e-3;

/// Returns the seconds since the first call in this process.
#[must_use]
pub fn monotonic_seconds() -> f64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_secs_f64()
}

/// The owner of attempts.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Key {
    /// A person.
    Number(i64),
    /// The address of a client that is not signed in.
    Text(Box<str>),
    /// A digest.
    Bytes(Box<[u8]>),
}

/// An attempt that was not counted: seconds until one is allowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Refused(pub f64);

impl Refused {
    /// The value of the Retry-After header.
    #[must_use]
    pub fn retry_after_seconds(self) -> u64 {
        whole(self.0.ceil()).max(1)
    }
}

/// Counts the attempts of each key against one limit: `burst` attempts at once, and one more every `every_seconds`.
#[derive(Debug)]
pub struct Meter {
    every: f64,
    window: f64,
    max_keys: usize,
    /// When all counted attempts of a key have expired.
    due: Mutex<HashMap<Key, f64>>,
}

impl Meter {
    /// Creates a meter for at most `max_keys` keys, and at least one.
    #[must_use]
    pub fn new(burst: u32, every_seconds: f64, max_keys: usize) -> Self {
        let window = f64::from(burst) * every_seconds;
        Self { every: every_seconds, window, max_keys: max_keys.max(1), due: Mutex::default() }
    }

    /// Seconds until an exhausted limit is fully available again.
    #[must_use]
    pub fn window(&self) -> f64 {
        self.window
    }

    /// Counts an attempt. Returns the seconds until all counted attempts have expired.
    ///
    /// # Errors
    /// [`Refused`] if the attempt is beyond the limit. It is not counted.
    pub fn take(&self, key: Key, now: f64) -> Result<f64, Refused> {
        let mut due = self.lock();
        let used = due.get(&key).map_or(0.0, |until| until - now).max(0.0) + self.every;
        if used > self.window {
            return Err(Refused(used - self.window));
        }
        self.put(&mut due, key, now + used, now);
        Ok(used)
    }

    /// Counts `count` attempts, even beyond the limit, which delays the next attempt. Returns the same as
    /// [`Meter::take`].
    pub fn charge(&self, key: Key, count: f64, now: f64) -> f64 {
        let mut due = self.lock();
        let until = due.get(&key).map_or(now, |until| until.max(now)) + count * self.every;
        self.put(&mut due, key, until, now);
        until - now
    }

    /// Returns the seconds until all counted attempts have expired.
    #[must_use]
    pub fn used(&self, key: &Key, now: f64) -> f64 {
        self.lock().get(key).map_or(0.0, |until| (until - now).max(0.0))
    }

    /// Whether more than half of the limit is used.
    #[must_use]
    pub fn is_half_used(&self, key: &Key, now: f64) -> bool {
        self.used(key, now) > self.window / 2.0
    }

    /// Removes one attempt from the count, because it succeeded.
    pub fn give_back(&self, key: &Key, now: f64) {
        let mut due = self.lock();
        if let Some(until) = due.get_mut(key) {
            *until -= self.every;
            if *until <= now {
                due.remove(key);
            }
        }
    }

    /// Removes all attempts of a key from the count.
    pub fn forget(&self, key: &Key) {
        self.lock().remove(key);
    }

    /// Number of keys in the table.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether no attempt is counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn put(&self, due: &mut HashMap<Key, f64>, key: Key, until: f64, now: f64) {
        if due.len() >= self.max_keys && !due.contains_key(&key) {
            self.drop_some(due, now);
        }
        due.insert(key, until);
    }

    /// Drops the keys without attempts and, if the table is still full, the half with the fewest attempts.
    fn drop_some(&self, due: &mut HashMap<Key, f64>, now: f64) {
        due.retain(|_, until| *until > now);
        if due.len() >= self.max_keys {
            let mut all: Vec<(Key, f64)> = mem::take(due).into_iter().collect();
            let dropped = (self.max_keys / 2).max(1);
            all.sort_unstable_by(|(_, one), (_, other)| one.total_cmp(other));
            due.extend(all.drain(dropped..));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, f64>> {
        self.due.lock().expect("no thread panics while it holds the lock")
    }
}

/// A number of requests per minute for each key, in any distribution. Its headers follow
/// draft-ietf-httpapi-ratelimit-headers, version 08 and later.
#[derive(Debug)]
pub struct Quota {
    meter: Meter,
    name: Box<str>,
    per_minute: u32,
    policy: Box<str>,
}

impl Quota {
    /// Creates a quota; `name` is its name in the headers, and `per_minute` is at least 1.
    #[must_use]
    pub fn new(name: &str, per_minute: u32) -> Self {
        let every = f64::from(WINDOW_SECONDS) / f64::from(per_minute);
        let policy = policy(name, per_minute, WINDOW_SECONDS).into();
        Self { meter: Meter::new(per_minute, every, MAX_KEYS), name: name.into(), per_minute, policy }
    }

    /// Counts one request. Returns the value of its `ratelimit` header.
    ///
    /// # Errors
    /// [`Refused`] if the request is beyond the quota. It is not counted.
    pub fn take(&self, key: Key, now: f64) -> Result<String, Refused> {
        self.meter.take(key, now).map(|used| self.left(used))
    }

    /// Counts more for a request that was allowed. A count beyond the quota delays the next request.
    #[must_use = "the response shows the changed header"]
    pub fn charge(&self, key: Key, count: f64, now: f64) -> String {
        self.left(self.meter.charge(key, count, now))
    }

    /// Removes one request from the count.
    pub fn give_back(&self, key: &Key, now: f64) {
        self.meter.give_back(key, now);
    }

    /// The value of the `ratelimit-policy` header.
    #[must_use]
    pub fn policy(&self) -> &str {
        &self.policy
    }

    /// The name in the headers.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of keys in the table.
    #[must_use]
    pub fn len(&self) -> usize {
        self.meter.len()
    }

    /// Whether no request is counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.meter.is_empty()
    }

    fn left(&self, used_seconds: f64) -> String {
        let per_minute = f64::from(self.per_minute);
        let a_second = per_minute / f64::from(WINDOW_SECONDS);
        remaining(&self.name, whole(per_minute - used_seconds * a_second + ROUNDING), whole(used_seconds) + 1)
    }
}

/// Returns the value of a `ratelimit-policy` header.
#[must_use]
pub fn policy(name: &str, requests: u32, window_seconds: u32) -> String {
    format!("\"{name}\";q={requests};w={window_seconds}")
}

/// Returns the value of a `ratelimit` header.
#[must_use]
pub fn remaining(name: &str, requests: u64, seconds: u64) -> String {
    format!("\"{name}\";r={requests};t={seconds}")
}

/// Returns the whole part; 0 for a negative number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, which is meant")]
fn whole(number: f64) -> u64 {
    number as u64
}
