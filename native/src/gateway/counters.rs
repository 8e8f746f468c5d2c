//! The counters of the gateway. Python reads them for the metrics.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::answered::Answered;
use super::balance::UpstreamCounts;

/// The counters of one gateway. Its thread writes them and any thread reads them.
#[derive(Debug, Default)]
pub struct Counters {
    /// Connections that were accepted.
    pub accepted: Count,
    /// Connections that are open.
    pub open: Count,
    /// Quiet connections that were closed to make room for others.
    pub evicted: Count,
    /// Connections that were reset because their client did not read.
    pub stalled: Count,
    /// TLS handshakes that failed or were late.
    pub handshakes_failed: Count,
    /// Connections of trusted proxies without a valid header of the PROXY protocol.
    pub proxy_headers_refused: Count,
    /// Requests whose head was complete.
    pub requests: Count,
    /// Requests that were sent to an upstream.
    pub proxied: Count,
    /// Requests whose client left before the answer was complete.
    pub abandoned: Count,
    /// Connections to upstreams that are open.
    pub upstream_open: Count,
    /// Connections to upstreams that were opened.
    pub upstream_opened: Count,
    /// The servers behind a stand-alone gateway.
    upstreams: Mutex<Vec<Arc<UpstreamCounts>>>,
    /// Requests that are being forwarded.
    pub forwarding: Count,
    /// Forwarded requests whose answer is a live stream.
    pub streams: Count,
    /// Answers of the gateway itself, by code.
    refused: Mutex<BTreeMap<&'static str, u64>>,
    /// Requests that were answered without an upstream.
    answered: Mutex<Answered>,
}

/// One number.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Adds one.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Subtracts one.
    pub fn subtract(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// Returns the number.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    /// Creates the counters. `bounds` are the upper bounds of the histogram of times, in seconds.
    #[must_use]
    pub fn new(bounds: Vec<f64>) -> Self {
        Self { answered: Mutex::new(Answered::new(bounds)), ..Self::default() }
    }

    /// The requests that were answered without an upstream.
    pub fn answered(&self) -> MutexGuard<'_, Answered> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reports these upstreams from now on.
    pub fn set_upstreams(&self, upstreams: Vec<Arc<UpstreamCounts>>) {
        *self.upstreams.lock().unwrap_or_else(PoisonError::into_inner) = upstreams;
    }

    /// Counts an answer of the gateway itself.
    pub fn refused(&self, code: &'static str) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner).entry(code).or_default() += 1;
    }

    /// Returns the counters as a JSON object. `limit`: maximum number of connections.
    #[must_use]
    pub fn to_json(&self, limit: usize) -> Vec<u8> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let upstreams = self.upstreams.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let upstreams: Vec<_> = upstreams.iter().map(|upstream| upstream.report()).collect();
        serde_json::json!({
            "limit": limit,
            "accepted": self.accepted.get(),
            "open": self.open.get(),
            "evicted": self.evicted.get(),
            "stalled": self.stalled.get(),
            "handshakes_failed": self.handshakes_failed.get(),
            "proxy_headers_refused": self.proxy_headers_refused.get(),
            "requests": self.requests.get(),
            "proxied": self.proxied.get(),
            "abandoned": self.abandoned.get(),
            "upstream_open": self.upstream_open.get(),
            "upstream_opened": self.upstream_opened.get(),
            "upstreams": upstreams,
            "forwarding": self.forwarding.get(),
            "streams": self.streams.get(),
            "refused": refused,
            "answered": *self.answered(),
        })
        .to_string()
        .into_bytes()
    }
}
