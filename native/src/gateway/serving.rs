//! The state that all connections of a gateway share. It lives on the gateway's thread.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use tokio::sync::{Mutex, Notify};

use super::client::Client;
use super::config::{Config, InvalidConfig};
use super::connections::Connections;
use super::counters::Counters;
use super::head::HeadLimits;
use super::quiet::Connection;
use super::refusal::{Refusal, Style};
use super::routes::OwnAnswers;
use super::routing::Routing;
use super::tls::Certificates;
use crate::forwarded::TrustedProxies;
use crate::request_id::RequestIds;

/// The shared state.
#[derive(Debug)]
pub struct Serving {
    /// The configuration.
    pub config: Config,
    /// The counters.
    pub counters: Arc<Counters>,
    /// The open connections.
    pub connections: Connections,
    /// The servers behind the gateway.
    routing: RefCell<Rc<Routing>>,
    /// The ids of requests without a valid id of their own.
    ids: RequestIds,
    /// The parts of the gateway that answer requests without an upstream.
    pub own: Arc<OwnAnswers>,
    /// The certificates; `None` if the gateway serves plain HTTP.
    pub certificates: Option<Arc<Certificates>>,
    /// The holder of this lock performs one step of a TLS handshake. The value is the time that steps have taken since
    /// the last pause.
    pub handshake_turn: Mutex<Duration>,
    /// The proxies whose headers name the client.
    pub proxies: TrustedProxies,
    /// Number of answers that wait for the compressing thread or are being compressed there.
    pub compressing: Cell<usize>,
    draining: Cell<bool>,
    emptied: Notify,
}

impl Serving {
    /// Prepares to serve.
    ///
    /// # Errors
    /// [`InvalidConfig`]: an address or a network cannot be used.
    pub fn new(
        config: Config,
        own: Arc<OwnAnswers>,
        certificates: Option<Arc<Certificates>>,
        counters: Arc<Counters>,
    ) -> Result<Self, InvalidConfig> {
        let limits = &config.limits;
        let connections = Connections::new(limits.connections, limits.connections_per_address);
        let routing = Routing::new(&config, &counters, None)?;
        counters.set_upstreams(routing.members().map(|member| Arc::clone(&member.counts)).collect());
        let routing = RefCell::new(Rc::new(routing));
        let proxies = TrustedProxies::parse(&config.trusted_proxies, config.proxy_headers);
        let proxies = proxies.map_err(|invalid| InvalidConfig(invalid.to_string()))?;
        let ids = RequestIds::default();
        let (draining, emptied) = (Cell::new(false), Notify::new());
        let handshake_turn = Mutex::default();
        Ok(Self {
            config,
            counters,
            connections,
            routing,
            ids,
            own,
            certificates,
            handshake_turn,
            proxies,
            compressing: Cell::new(0),
            draining,
            emptied,
        })
    }

    /// The current routes.
    #[must_use]
    pub fn routing(&self) -> Rc<Routing> {
        Rc::clone(&self.routing.borrow())
    }

    /// Uses the routes of another configuration for new requests.
    ///
    /// # Errors
    /// [`InvalidConfig`]: they cannot be used. Nothing has changed.
    pub fn reroute(&self, config: &Config) -> Result<(), InvalidConfig> {
        let routing = Routing::new(config, &self.counters, Some(&self.routing()))?;
        self.counters.set_upstreams(routing.members().map(|member| Arc::clone(&member.counts)).collect());
        self.routing.replace(Rc::new(routing));
        Ok(())
    }

    /// The limits of a head.
    #[must_use]
    pub fn head_limits(&self) -> HeadLimits {
        let limits = &self.config.limits;
        HeadLimits { bytes: limits.head_bytes, headers: limits.headers, uri_bytes: limits.uri_bytes }
    }

    /// Counts a refusal and returns it as the last bytes of an HTTP/1.1 connection.
    #[must_use]
    pub fn refusal_bytes(&self, refusal: Refusal) -> Bytes {
        self.counters.refused(refusal.code());
        refusal.bytes(&self.next_id(), self.style())
    }

    /// Counts a refusal and returns it as the answer to a request.
    #[must_use]
    pub fn refusal(&self, refusal: Refusal, request_id: &HeaderValue, closes: bool) -> http::Response<Bytes> {
        self.counters.refused(refusal.code());
        refusal.response(request_id, self.style(), closes)
    }

    /// Returns a new id of a request.
    #[must_use]
    pub fn next_id(&self) -> HeaderValue {
        HeaderValue::try_from(self.ids.next_id()).unwrap_or(HeaderValue::from_static("0"))
    }

    /// Returns the address of the client of a request, also behind trusted proxies.
    #[must_use]
    pub fn client_address(&self, client: &Client, headers: &HeaderMap) -> String {
        let headers = (!client.is_nameless).then_some(headers);
        let lines = headers.into_iter().flatten().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
        self.proxies.client(&client.address, lines).address.into_owned()
    }

    fn style(&self) -> Style<'_> {
        Style { titles: &self.config.titles, https_only: self.config.https_only }
    }

    /// Ends every connection after its requests in progress.
    pub fn drain(&self) {
        self.draining.set(true);
        self.connections.close_all();
    }

    /// Whether the gateway ends every connection after its requests in progress.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.get()
    }

    /// Wakes [`Self::until_empty`] if no connection is left, after a connection was removed.
    pub fn notify_if_empty(&self) {
        if self.connections.is_empty() {
            self.emptied.notify_one();
        }
    }

    /// Waits until no connection is open.
    pub async fn until_empty(&self) {
        while !self.connections.is_empty() {
            self.emptied.notified().await;
        }
    }

    /// Whether the connection ends after the request in progress.
    #[must_use]
    pub fn is_last(&self, connection: &Connection) -> bool {
        self.draining.get()
            || connection.is_closing()
            || connection.served() >= self.config.limits.requests_per_connection
    }
}
