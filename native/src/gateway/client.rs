//! The data about a client that the servers behind the gateway receive.

use http::HeaderValue;

use super::socket::Peer;

/// One client's connection.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its address and port, empty for a client on a Unix socket.
    pub peer: HeaderValue,
    /// Its address, empty for a client on a Unix socket.
    pub address: String,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// A proxy has not named its client in the header of the PROXY protocol. Headers of the request that name a client
    /// could be forged.
    pub is_nameless: bool,
}

impl Client {
    /// Describes a client.
    #[must_use]
    pub fn new(peer: Peer, scheme: &'static str) -> Self {
        let address = peer.address().map(|address| address.to_string()).unwrap_or_default();
        let peer = HeaderValue::from_str(&peer.to_string()).unwrap_or(HeaderValue::from_static(""));
        Self { peer, address, scheme, is_nameless: false }
    }
}
