//! The configuration of a gateway: one JSON object.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::alone::Alone;
use super::send_many::Work;
use crate::cors::Cors;
use crate::forwarded::Headers;
use crate::problem::Titles;

/// Everything that a gateway needs to know before it starts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The servers behind the gateway: `unix:/path/of/socket` or `tcp:host:port`.
    pub upstreams: Vec<String>,
    /// Proxies whose headers name the client: networks such as `192.0.2.0/24`, or `unix`. Their connections are not
    /// counted per address.
    #[serde(default)]
    pub trusted_proxies: Vec<String>,
    /// Which headers these proxies set.
    #[serde(default)]
    pub proxy_headers: Headers,
    /// Whether the connections of these proxies begin with a header of the PROXY protocol.
    #[serde(default)]
    pub proxy_protocol: bool,
    /// Whether the gateway's own answers demand HTTPS from browsers (HSTS).
    #[serde(default)]
    pub https_only: bool,
    /// The origins whose pages may read answers.
    #[serde(default)]
    pub cors_origins: Cors,
    /// The upper bounds of the histogram of answer times, in seconds.
    #[serde(default)]
    pub time_bounds: Vec<f64>,
    /// The title of each status in the gateway's own answers.
    #[serde(default)]
    pub titles: Titles,
    /// The work that parts of a batch count as.
    #[serde(default)]
    pub batch_work: Work,
    /// The part for a stand-alone gateway: several upstreams, checks and filters.
    #[serde(default)]
    pub alone: Option<Alone>,
    /// The limits. Every limit has a default.
    #[serde(default)]
    pub limits: Limits,
}

/// The limits of connections and requests.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Maximum number of open connections.
    pub connections: usize,
    /// Maximum number of open connections of one client address, or of one IPv6 network of 64 bits.
    pub connections_per_address: usize,
    /// Maximum number of connections to the upstreams.
    pub upstream_connections: usize,
    /// Maximum time from the first byte of a head to its end, and from the start of a connection to its first byte.
    #[serde(deserialize_with = "seconds")]
    pub head_seconds: Duration,
    /// Maximum time between two requests of a connection.
    #[serde(deserialize_with = "seconds")]
    pub idle_seconds: Duration,
    /// Maximum time between two parts of a body.
    #[serde(deserialize_with = "seconds")]
    pub body_part_seconds: Duration,
    /// Maximum time for a whole body.
    #[serde(deserialize_with = "seconds")]
    pub body_seconds: Duration,
    /// Maximum time for which a client reads nothing of its answer.
    #[serde(deserialize_with = "seconds")]
    pub write_seconds: Duration,
    /// Maximum size of a head.
    pub head_bytes: usize,
    /// Maximum number of headers.
    pub headers: usize,
    /// Maximum size of a request target.
    pub uri_bytes: usize,
    /// Maximum size of a body.
    pub body_bytes: u64,
    /// Maximum number of requests of one connection.
    pub requests_per_connection: u64,
    /// Maximum size of all answers that the clients of one address have left unread for at least a second.
    pub unread_bytes_per_address: usize,
    /// Maximum number of concurrent requests of one HTTP/2 connection.
    pub streams: u32,
    /// Maximum number of HTTP/2 frames that only cost work (settings, pings, resets) within ten seconds.
    pub control_frames: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            connections_per_address: 256,
            upstream_connections: 1024,
            head_seconds: Duration::from_secs(10),
            idle_seconds: Duration::from_secs(75),
            body_part_seconds: Duration::from_secs(10),
            body_seconds: Duration::from_secs(30),
            write_seconds: Duration::from_secs(30),
            head_bytes: 64 << 10,
            headers: 100,
            uri_bytes: 32 << 10,
            body_bytes: 32 << 20,
            requests_per_connection: 10_000,
            unread_bytes_per_address: 8 << 20,
            streams: 100,
            control_frames: 1_000,
        }
    }
}

/// Reads a time in seconds.
///
/// # Errors
/// The value is not a number, or is negative or too large.
pub fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Duration::try_from_secs_f64(f64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

/// The configuration cannot be used. The message states why.
#[derive(Debug)]
pub struct InvalidConfig(pub String);

impl fmt::Display for InvalidConfig {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Config {
    /// Reads a configuration from JSON.
    ///
    /// # Errors
    /// [`InvalidConfig`]: the JSON has another shape, or names no upstream.
    pub fn parse(json: &[u8]) -> Result<Self, InvalidConfig> {
        let config: Self = serde_json::from_slice(json).map_err(|error| InvalidConfig(error.to_string()))?;
        if config.upstreams.is_empty() && config.alone.as_ref().is_none_or(|alone| alone.routes.is_empty()) {
            return Err(InvalidConfig("upstreams is empty".to_owned()));
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_a_default() {
        let config = Config::parse(br#"{"upstreams": ["unix:/a"], "limits": {"head_seconds": 0.5}}"#);
        let limits = config.expect("the configuration is valid").limits;
        assert_eq!(limits.head_seconds, Duration::from_millis(500));
        assert_eq!(limits.write_seconds, Duration::from_secs(30));
    }

    #[test]
    fn unknown_keys_and_missing_upstreams_are_refused() {
        for json in [&br#"{"upstreams": []}"#[..], br#"{"upstreams": ["unix:/a"], "limit": 1}"#, b"[]"] {
            assert!(Config::parse(json).is_err());
        }
    }
}
