//! Moves the bytes of messages: parses, checks, batches and encodes them. Python decides what happens to a batch.
//! It also has the rules that both entry points share, once.
//!
//! * [`message`]: turns a body into checked fields without a copy, and stored messages into JSON and frames.
//! * [`intake`]: the waiting batch. Request handlers fill it and the writer empties it.
//! * [`pending`]: the answer that a request of the gateway waits for; [`wake`] wakes the writer for it.
//! * [`batch`]: the columns of a batch; [`arena`] stores a column of texts, and [`pool`] reuses the memory.
//! * [`confusables`]: detects names that look alike.
//! * [`quota`], [`at_once`]: limit how often something can be tried, and how often at the same time.
//! * [`token`]: verifies access tokens.
//! * [`request_id`], [`headers`], [`problem`]: ids of requests, security headers and error responses.
//! * [`cors`]: the headers for pages of other sites.
//! * [`access_log`]: one line for each request of the gateway.
//! * [`panics`]: a panic ends the process.
//! * [`forwarded`]: the client behind trusted proxies; [`networks`]: IP addresses and networks.
//! * [`hub`]: the blocks that wait for live streams.
//! * [`negotiation`]: content codings and entity tags; [`coding`] compresses.
//! * [`gateway`]: owns the clients' sockets and forwards requests to Python.
//! * `python`: the binding, behind the feature `python`. No other module names `PyO3`.

pub mod access_log;
pub mod arena;
pub mod at_once;
pub mod batch;
pub mod coding;
pub mod confusables;
pub mod cors;
pub mod error;
pub mod forwarded;
pub mod gateway;
pub mod headers;
pub mod hub;
pub mod intake;
pub mod message;
pub mod negotiation;
pub mod networks;
pub mod panics;
pub mod pending;
pub mod pool;
pub mod problem;
pub mod quota;
pub mod request_id;
pub mod token;
pub mod wake;

#[cfg(feature = "python")]
mod python;
