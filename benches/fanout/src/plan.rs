//! What to measure, and what was measured.

use serde::{Deserialize, Serialize};

/// One measurement.
#[derive(Debug, Deserialize)]
pub struct Plan {
    /// The server.
    pub address: std::net::SocketAddr,
    /// The processes whose processor time counts.
    pub processes: Vec<u32>,
    /// The requests that open streams. They take turns.
    pub streams: Vec<String>,
    /// Number of streams.
    pub listeners: usize,
    /// Number of further streams that are never read.
    #[serde(default)]
    pub stalled: usize,
    /// The requests that publish an event, one connection each: the parts before and after its number.
    pub posts: Vec<(String, String)>,
    /// Maximum number of events that have not arrived everywhere.
    pub ahead: usize,
    /// Events per second. Without it, events are published as fast as `ahead` allows.
    pub rate: Option<f64>,
    /// Load before the measurement.
    pub warm_up_seconds: f64,
    /// Time of the measurement.
    pub seconds: f64,
}

/// What was measured.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// Events that arrived at a stream.
    pub deliveries: u64,
    pub deliveries_per_second: f64,
    /// From the moment when an event was due to its arrival at a stream.
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub server_cpu_seconds: f64,
    pub server_cpu_per_delivery_us: f64,
    pub generator_cpu_seconds: f64,
    /// Received bytes per delivery.
    pub bytes_per_delivery: f64,
    pub seconds: f64,
    /// Events that had not arrived everywhere at the end.
    pub missing: u64,
}
