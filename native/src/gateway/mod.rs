//! The gateway: it owns the clients' sockets and forwards requests to the servers behind it.
//!
//! It runs on one thread of its own that never attaches to the Python interpreter.
//!
//! * [`listener`] accepts, [`connections`] counts and admits, [`connection`] serves one connection with hyper.
//! * [`tls`] has the certificates and the handshake. [`proxied`] reads the PROXY protocol ([`proxy_header`]).
//! * [`guard`] is the socket as hyper sees it. It checks framing ([`framing`], [`head`], [`chunks`]), times and floods.
//! * [`routes`] decides who answers a request, and [`proxy`] forwards it over a connection of [`upstream`].
//! * [`live`] takes over live streams. [`delivery`] writes them to sockets that have left hyper, with [`outgoing`].
//! * [`websocket`] does the same after a [`handshake`], and reads its frames. [`websocket_reader`] parses them,
//!   and [`websocket_pulse`] notices clients that have vanished.
//! * [`compressing`] compresses answers.
//! * [`send`] stores messages and [`pages`] serves the web client, without an upstream.
//! * [`send_head`], [`held_bodies`], [`send_many`] and [`send_quota`] are parts of [`send`].
//! * [`cache`] keeps answers of the app. [`request_head`] reads the heads of requests that need no app.
//! * [`alone`] configures a stand-alone gateway: [`routing`] finds upstreams, [`balance`] chooses one, [`checks`] and
//!   [`breaker`] find out whether it works, [`attempts`] sends a request to it, and [`forwarding`] names the client.
//! * [`forwarded_line`] is the access log of a stand-alone gateway.
//! * [`stall`] limits what clients do not read, [`unread`] does so for each stream of HTTP/2, and [`share`] limits the
//!   requests of one address.
//! * [`refusal`] contains the answers of the gateway itself.

pub mod alone;
pub mod answer;
pub mod answered;
pub mod attempts;
pub mod balance;
pub mod body;
pub mod breaker;
pub mod cache;
pub mod checks;
pub mod chunks;
pub mod client;
pub mod compressing;
pub mod config;
pub mod connection;
pub mod connections;
pub mod content;
pub mod counters;
pub mod delivery;
pub mod early;
pub mod floods;
pub mod forwarded_line;
pub mod forwarding;
pub mod framing;
pub mod guard;
pub mod handshake;
pub mod head;
pub mod held_bodies;
pub mod linger;
pub mod listener;
pub mod live;
pub mod outgoing;
pub mod pages;
pub mod paths;
pub mod proxied;
pub mod proxy;
pub mod proxy_header;
pub mod quiet;
pub mod refusal;
pub mod request_head;
pub mod routes;
pub mod routing;
pub mod send;
pub mod send_head;
pub mod send_many;
pub mod send_quota;
pub mod serving;
pub mod share;
pub mod socket;
pub mod stall;
pub mod state;
pub mod tls;
pub mod unread;
pub mod upstream;
pub mod upstream_tls;
pub mod websocket;
pub mod websocket_pulse;
pub mod websocket_reader;

use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio::task::LocalSet;

use config::{Config, InvalidConfig};
use counters::Counters;
use listener::Listener;
use routes::OwnAnswers;
use routing::Routing;
use serving::Serving;
use state::State;
use tls::Certificates;

use crate::panics;

const THREAD: &str = "gateway";
/// Threads that compress large answers.
const COMPRESSING_THREADS: usize = 1;
const IDLE_CHECK: Duration = Duration::from_millis(2);

/// A gateway and its thread.
#[derive(Debug)]
pub struct Gateway {
    config: Config,
    own: Arc<OwnAnswers>,
    certificates: Option<Arc<Certificates>>,
    counters: Arc<Counters>,
    state: watch::Sender<State>,
    /// The configuration with the newest routes.
    routes: watch::Sender<Option<Arc<Config>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Gateway {
    /// Prepares a gateway. It does not run yet. With `certificates`, it serves HTTPS only.
    ///
    /// # Errors
    /// [`InvalidConfig`]: a value of the configuration cannot be used.
    pub fn new(
        config: Config,
        own: OwnAnswers,
        certificates: Option<Arc<Certificates>>,
    ) -> Result<Self, InvalidConfig> {
        let counters = Arc::new(Counters::new(config.time_bounds.clone()));
        let own = Arc::new(own);
        Serving::new(config.clone(), Arc::clone(&own), certificates.clone(), Arc::clone(&counters))?;
        let (state, routes) = (watch::Sender::new(State::Serving), watch::Sender::new(None));
        Ok(Self { config, own, certificates, counters, state, routes, thread: Mutex::default() })
    }

    /// Starts to accept connections from sockets that listen already.
    ///
    /// # Errors
    /// The thread or its event loop cannot be started, a socket does not listen, or the gateway runs already.
    pub fn start(&self, sockets: Vec<OwnedFd>) -> io::Result<()> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.is_some() || self.state.borrow().is_draining() {
            return Err(io::Error::other("the gateway was started before"));
        }
        // The clients of a thread that panicked would wait for ever.
        panics::end_process();
        let (config, own, certificates) = (self.config.clone(), Arc::clone(&self.own), self.certificates.clone());
        let (counters, watched) = (Arc::clone(&self.counters), (self.state.subscribe(), self.routes.subscribe()));
        let (begun, beginning) = mpsc::channel();
        // What the connections share lives on the thread only.
        let serving = move || Serving::new(config, own, certificates, counters);
        let body = move || run(serving, sockets, watched, &begun);
        *thread = Some(thread::Builder::new().name(THREAD.to_owned()).spawn(body)?);
        beginning.recv().unwrap_or_else(|_| Err(io::Error::other("the gateway's thread ended")))
    }

    /// Uses the upstreams, routes and filters of another configuration for new requests.
    ///
    /// # Errors
    /// [`InvalidConfig`]: they cannot be used. Nothing has changed.
    pub fn reroute(&self, config: Config) -> Result<(), InvalidConfig> {
        Routing::new(&config, &self.counters, None)?;
        self.routes.send_replace(Some(Arc::new(config)));
        Ok(())
    }

    /// Accepts no new connections, and ends each connection after its requests in progress.
    pub fn stop_accepting(&self) {
        self.advance(State::Draining);
    }

    /// Waits until no connection is open, at most for `limit`; returns whether that is so.
    #[must_use]
    pub fn wait_idle(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        loop {
            if self.is_finished() {
                return true;
            }
            if Instant::now() >= deadline {
                return false;
            }
            thread::sleep(IDLE_CHECK);
        }
    }

    /// Closes every connection and ends the thread.
    pub fn stop(&self) {
        self.advance(State::Stopped);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic there has ended the process.
            let _ = thread.join();
        }
    }

    /// Returns the counters as a JSON object.
    #[must_use]
    pub fn counters(&self) -> Vec<u8> {
        self.counters.to_json(self.config.limits.connections)
    }

    /// The people who sent messages within the last minute.
    #[must_use]
    pub fn senders(&self) -> Vec<i64> {
        self.counters.answered().people()
    }

    fn is_finished(&self) -> bool {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    fn advance(&self, state: State) {
        self.state.send_if_modified(|current| {
            let advances = *current < state;
            *current = state.max(*current);
            advances
        });
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The gateway's thread.
fn run(
    serving: impl FnOnce() -> Result<Serving, InvalidConfig>,
    sockets: Vec<OwnedFd>,
    (state, routes): (watch::Receiver<State>, watch::Receiver<Option<Arc<Config>>>),
    begun: &mpsc::Sender<io::Result<()>>,
) {
    let runtime =
        match Builder::new_current_thread().enable_io().enable_time().max_blocking_threads(COMPRESSING_THREADS).build()
        {
            Ok(runtime) => runtime,
            Err(error) => return report(begun, Err(error)),
        };
    let tasks = LocalSet::new();
    tasks.block_on(&runtime, async {
        let listeners = sockets.into_iter().map(Listener::new).collect::<io::Result<Vec<_>>>();
        let serving = serving().map_err(|error| io::Error::other(error.to_string()));
        match (listeners, serving) {
            (Ok(listeners), Ok(serving)) => {
                report(begun, Ok(()));
                let serving = Rc::new(serving);
                checks::begin(&serving);
                tokio::task::spawn_local(follow_routes(Rc::clone(&serving), routes));
                serve(listeners, serving, state).await;
            }
            (Err(error), _) | (_, Err(error)) => report(begun, Err(error)),
        }
    });
}

fn report(begun: &mpsc::Sender<io::Result<()>>, result: io::Result<()>) {
    // Nobody waits for the result if the owner is gone.
    let _ = begun.send(result);
}

/// Uses new routes until the gateway is dropped.
async fn follow_routes(serving: Rc<Serving>, mut routes: watch::Receiver<Option<Arc<Config>>>) {
    while routes.changed().await.is_ok() {
        let config = routes.borrow_and_update().clone();
        // They were checked before.
        if config.is_some_and(|config| serving.reroute(&config).is_ok()) {
            checks::begin(&serving);
        }
    }
}

async fn serve(listeners: Vec<Listener>, serving: Rc<Serving>, mut state: watch::Receiver<State>) {
    let accepting: Vec<_> = listeners
        .into_iter()
        .map(|listener| tokio::task::spawn_local(listener.run(Rc::clone(&serving), state.clone())))
        .collect();
    if let Some(streams) = serving.own.streams.clone() {
        tokio::task::spawn_local(async move { streams.lanes().distribute().await });
    }
    // The sender outlives the thread.
    let _ = state.wait_for(|state| state.is_draining()).await;
    for task in accepting {
        let _ = task.await;
    }
    serving.drain();
    tokio::select! {
        () = serving.until_empty() => {}
        _ = state.wait_for(|state| *state == State::Stopped) => {}
    }
}
