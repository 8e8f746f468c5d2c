//! One server behind the gateway, and its keep-alive connections.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::body::RequestBody;
use super::config::InvalidConfig;
use super::counters::Counters;
use super::early::EarlyAnswers;

/// A connection that was idle for longer is not used again, because the server may be closing it.
const MAX_IDLE: Duration = Duration::from_secs(30);
const MAX_IDLE_CONNECTIONS: usize = 256;
const CONNECT: Duration = Duration::from_secs(3);
/// How long to wait before another attempt, if the server has not accepted earlier connections.
const BACKLOG_FULL: Duration = Duration::from_millis(5);
const BUFFER_BYTES: usize = 64 << 10;
const MAX_HEADERS: usize = 256;

#[derive(Clone)]
enum Address {
    Unix(PathBuf),
    Tcp(String),
    Tls(String, ServerName<'static>, TlsConnector),
}

/// A connection to an upstream. Dropping it ends the connection, even if a request is in progress.
#[derive(Debug)]
pub struct Lease {
    sender: SendRequest<RequestBody>,
    connection: AbortHandle,
    /// An expired connection makes room for a new one at once, before its task has run again.
    _counted: Counted,
}

impl Lease {
    /// Sends a request. If its body has not begun, the error contains the request.
    ///
    /// # Errors
    /// The connection ended before the head of the answer.
    pub async fn send(
        &mut self,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, TrySendError<Request<RequestBody>>> {
        self.sender.try_send_request(request).await
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // A connection that still sends a body would otherwise wait for the rest.
        self.connection.abort();
    }
}

/// A server behind the gateway.
pub struct Upstream {
    name: String,
    address: Address,
    limit: usize,
    open: Rc<Cell<usize>>,
    idle: RefCell<Vec<(Lease, Instant)>>,
    counters: Arc<Counters>,
}

impl fmt::Debug for Upstream {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Upstream").field("address", &self.name).field("open", &self.open).finish_non_exhaustive()
    }
}

impl Upstream {
    /// Describes a server with at most `limit` connections. No connection is opened yet. `tls` is for `tls:` addresses.
    ///
    /// # Errors
    /// [`InvalidConfig`]: the address is none of `unix:/path`, `tcp:host:port` and `tls:host:port`.
    pub fn new(
        name: &str,
        limit: usize,
        counters: Arc<Counters>,
        tls: Option<TlsConnector>,
    ) -> Result<Self, InvalidConfig> {
        let address = Address::parse(name, tls);
        let invalid =
            || InvalidConfig(format!("{name} is not an upstream: unix:/path, tcp:host:port or tls:host:port"));
        let address = address.ok_or_else(invalid)?;
        Ok(Self { name: name.to_owned(), address, limit, open: Rc::default(), idle: RefCell::default(), counters })
    }

    /// Returns the address, as in the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether all connections that the limit allows are serving a request.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.open.get().saturating_sub(self.idle.borrow().len()) >= self.limit
    }

    /// Returns a connection that can take a request, if one is idle.
    pub fn take(&self) -> Option<Lease> {
        let mut idle = self.idle.borrow_mut();
        let mut settling = Vec::new();
        let found = loop {
            let Some((lease, since)) = idle.pop() else { break None };
            if lease.sender.is_closed() || since.elapsed() > MAX_IDLE {
                continue;
            }
            if lease.sender.is_ready() {
                break Some(lease);
            }
            // The last answer of this connection is complete, but its task has not run since.
            settling.push((lease, since));
        };
        idle.append(&mut settling);
        found
    }

    /// Stores a connection for further requests, after its answer is complete.
    pub fn put(&self, lease: Lease) {
        let mut idle = self.idle.borrow_mut();
        // The oldest come first.
        let expired = idle.iter().take_while(|(lease, since)| lease.sender.is_closed() || since.elapsed() > MAX_IDLE);
        let too_many = (idle.len() + 1).saturating_sub(MAX_IDLE_CONNECTIONS);
        let ended = expired.count().max(too_many);
        idle.drain(..ended);
        idle.push((lease, Instant::now()));
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// The server does not accept the connection in time, or the limit is reached.
    pub async fn connect(&self) -> io::Result<Lease> {
        if self.open.get() >= self.limit {
            return Err(io::Error::other("too many connections to the upstream"));
        }
        self.dial().await
    }

    /// Opens a connection, even beyond the limit.
    ///
    /// # Errors
    /// The server does not accept it in time.
    pub async fn dial(&self) -> io::Result<Lease> {
        let connecting = async {
            match &self.address {
                Address::Tcp(place) => self.handshake(connect_tcp(place).await?).await,
                Address::Tls(place, name, tls) => {
                    let socket = connect_tcp(place).await?;
                    self.handshake(tls.connect(name.clone(), socket).await?).await
                }
                Address::Unix(path) => self.handshake(connect_unix(path).await?).await,
            }
        };
        timeout(CONNECT, connecting).await?
    }

    async fn handshake<T>(&self, socket: T) -> io::Result<Lease>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut builder = Builder::new();
        builder.max_buf_size(BUFFER_BYTES).max_headers(MAX_HEADERS);
        let socket = TokioIo::new(EarlyAnswers::new(socket));
        let (sender, connection) = builder.handshake(socket).await.map_err(io::Error::other)?;
        self.counters.upstream_opened.add();
        let counted = Counted::new(Rc::clone(&self.open), Arc::clone(&self.counters));
        let task = tokio::task::spawn_local(async move {
            // The request that waits for the answer gets the error.
            let _ = connection.await;
        });
        Ok(Lease { sender, connection: task.abort_handle(), _counted: counted })
    }
}

/// Counts a connection until it is dropped.
#[derive(Debug)]
struct Counted(Rc<Cell<usize>>, Arc<Counters>);

impl Counted {
    fn new(open: Rc<Cell<usize>>, counters: Arc<Counters>) -> Self {
        open.set(open.get() + 1);
        counters.upstream_open.add();
        Self(open, counters)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
        self.1.upstream_open.subtract();
    }
}

impl Address {
    fn parse(text: &str, tls: Option<TlsConnector>) -> Option<Self> {
        let (kind, place) = text.split_once(':')?;
        let (host, port) = place.rsplit_once(':').unwrap_or_default();
        let is_port = !host.is_empty() && port.parse::<u16>().is_ok();
        match kind {
            "unix" if place.starts_with('/') => Some(Self::Unix(PathBuf::from(place))),
            "tcp" if is_port => Some(Self::Tcp(place.to_owned())),
            "tls" if is_port => {
                let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
                Some(Self::Tls(place.to_owned(), ServerName::try_from(host).ok()?, tls?))
            }
            _ => None,
        }
    }
}

async fn connect_tcp(place: &str) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(place).await?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

async fn connect_unix(path: &PathBuf) -> io::Result<UnixStream> {
    loop {
        match UnixStream::connect(path).await {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => sleep(BACKLOG_FULL).await,
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::upstream_tls;
    use super::*;

    #[test]
    fn an_upstream_is_a_socket_in_a_folder_or_a_port() {
        let is_valid = |text| Upstream::new(text, 1, Arc::default(), upstream_tls::client("").ok()).is_ok();
        for text in ["unix:/run/a", "tcp:[::1]:80", "tcp:a.example:80", "tls:a.example:443", "tls:[::1]:443"] {
            assert!(is_valid(text), "{text}");
        }
        for text in ["", "unix:a", "tcp:a", "tcp::80", "tcp:a:b", "tls:a b:443", "http://a:80"] {
            assert!(!is_valid(text), "{text}");
        }
        assert!(Upstream::new("tls:a:1", 1, Arc::default(), None).is_err());
    }
}
