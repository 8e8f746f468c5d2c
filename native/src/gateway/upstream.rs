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

use super::body::RequestBody;
use super::config::InvalidConfig;
use super::counters::Counters;
use super::early::EarlyAnswers;

/// A connection is not used again after this time, because the server may be closing it.
const MAX_IDLE: Duration = Duration::from_secs(30);
const MAX_IDLE_CONNECTIONS: usize = 256;
const CONNECT: Duration = Duration::from_secs(3);
/// How long a connection attempt waits if the server has not accepted earlier ones.
const BACKLOG_FULL: Duration = Duration::from_millis(5);
const BUFFER_BYTES: usize = 64 << 10;
const MAX_HEADERS: usize = 256;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Address {
    Unix(PathBuf),
    Tcp(String),
}

/// A connection to an upstream. Dropping it ends the connection, whatever is in progress.
#[derive(Debug)]
pub struct Lease {
    sender: SendRequest<RequestBody>,
    connection: AbortHandle,
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
    address: Address,
    limit: usize,
    open: Rc<Cell<usize>>,
    idle: RefCell<Vec<(Lease, Instant)>>,
    counters: Arc<Counters>,
}

impl fmt::Debug for Upstream {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Upstream").field("address", &self.address).field("open", &self.open).finish_non_exhaustive()
    }
}

impl Upstream {
    /// Describes a server with at most `limit` connections. None is opened yet.
    ///
    /// # Errors
    /// [`InvalidConfig`]: the address is neither `unix:/path` nor `tcp:host:port`.
    pub fn new(address: &str, limit: usize, counters: Arc<Counters>) -> Result<Self, InvalidConfig> {
        let address = match address.split_once(':') {
            Some(("unix", path)) if path.starts_with('/') => Address::Unix(PathBuf::from(path)),
            Some(("tcp", place)) if place.contains(':') => Address::Tcp(place.to_owned()),
            _ => return Err(InvalidConfig(format!("{address} is not an upstream: unix:/path or tcp:host:port"))),
        };
        Ok(Self { address, limit, open: Rc::default(), idle: RefCell::default(), counters })
    }

    /// Number of open connections.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.get()
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
            // Its last answer is complete, but its task has not run since.
            settling.push((lease, since));
        };
        idle.append(&mut settling);
        found
    }

    /// Returns a connection after its answer is complete.
    pub fn put(&self, lease: Lease) {
        let mut idle = self.idle.borrow_mut();
        if idle.len() >= MAX_IDLE_CONNECTIONS {
            let oldest = idle.remove(0);
            drop(oldest);
        }
        idle.push((lease, Instant::now()));
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// The server does not accept it in time, or has too many.
    pub async fn connect(&self) -> io::Result<Lease> {
        if self.open.get() >= self.limit {
            return Err(io::Error::other("too many connections to the upstream"));
        }
        let connecting = async {
            match &self.address {
                Address::Tcp(address) => {
                    let socket = TcpStream::connect(address).await?;
                    socket.set_nodelay(true)?;
                    self.handshake(socket).await
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
            let _counted = counted;
            // The request that waits for the answer gets the error.
            let _ = connection.await;
        });
        Ok(Lease { sender, connection: task.abort_handle() })
    }
}

/// Counts a connection until it is dropped.
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
    use super::*;

    #[test]
    fn an_upstream_is_a_socket_in_a_folder_or_a_port() {
        let parse = |text| Upstream::new(text, 1, Arc::default()).map(|upstream| upstream.address);
        assert_eq!(parse("unix:/run/a").ok(), Some(Address::Unix(PathBuf::from("/run/a"))));
        assert_eq!(parse("tcp:[::1]:80").ok(), Some(Address::Tcp("[::1]:80".to_owned())));
        for text in ["", "unix:a", "tcp:a", "http://a:80"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
