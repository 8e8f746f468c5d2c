//! The configuration that only a stand-alone gateway has: several upstreams, routes, checks and filters.

use std::time::Duration;

use serde::Deserialize;

use super::breaker::Patience;
use super::config::seconds;

/// How a stand-alone gateway treats the servers behind it.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Alone {
    /// Which upstreams serve the paths below a prefix. The longest prefix wins.
    pub routes: Vec<Route>,
    /// Requests that no upstream receives.
    pub denied: Vec<Denied>,
    /// The checks of the upstreams; `None` disables them.
    pub checks: Option<Checks>,
    /// Failures in a row after which an upstream receives no requests.
    pub failures: u32,
    /// How long a failed upstream first receives no requests. Each failed trial doubles this pause.
    #[serde(deserialize_with = "seconds")]
    pub pause_seconds: Duration,
    /// The longest pause.
    #[serde(deserialize_with = "seconds")]
    pub longest_pause_seconds: Duration,
    /// Maximum time from a request to the head of its answer.
    #[serde(deserialize_with = "seconds")]
    pub answer_seconds: Duration,
    /// PEM of the root certificates for `tls:` upstreams.
    pub roots: String,
}

impl Default for Alone {
    fn default() -> Self {
        Self {
            routes: Vec::new(),
            denied: Vec::new(),
            checks: None,
            failures: 3,
            pause_seconds: Duration::from_secs(1),
            longest_pause_seconds: Duration::from_secs(30),
            answer_seconds: Duration::from_secs(60),
            roots: String::new(),
        }
    }
}

impl Alone {
    /// When the breaker of an upstream opens.
    #[must_use]
    pub fn patience(&self) -> Patience {
        let (pause, longest_pause) = (self.pause_seconds, self.longest_pause_seconds);
        Patience { failures: self.failures.max(1), pause, longest_pause }
    }
}

/// Upstreams for a part of the paths.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The beginning of the paths, such as `/api`. It matches `/api` and `/api/chat`, but not `/apis`.
    pub prefix: String,
    /// Addresses of upstreams.
    pub upstreams: Vec<String>,
}

/// A kind of request that is refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Denied {
    /// Its method; `None` for any.
    #[serde(default)]
    pub method: Option<String>,
    /// The beginning of its path, as in [`Route`].
    pub prefix: String,
}

/// How each upstream is checked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checks {
    /// A working upstream answers `GET` of this path with a status from 200 to 399.
    pub path: String,
    /// Time between two checks.
    #[serde(deserialize_with = "seconds")]
    pub interval_seconds: Duration,
    /// Maximum time of a check.
    #[serde(deserialize_with = "seconds")]
    pub timeout_seconds: Duration,
    /// Failed checks in a row after which the upstream receives no requests. One successful check ends that.
    pub failures: u32,
}
