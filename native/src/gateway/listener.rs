//! Accepts connections from one listening socket.

use std::cell::Cell;
use std::future::{Future, ready};
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::connection::{self, Rest};
use super::connections::Full;
use super::proxied::{self, Origin};
use super::quiet::Connection;
use super::refusal::Refusal;
use super::serving::Serving;
use super::socket::{Peer, Socket, prepare};
use super::state::State;
use super::tls;

/// How long the listener waits after the system refused a connection, for example because too many files are open.
const PAUSE: Duration = Duration::from_millis(50);
/// Maximum number of connections that are refused with an answer at the same time. Others are closed without an answer.
const MAX_REFUSING: usize = 64;
const REFUSING: Duration = Duration::from_secs(1);

/// A listening socket.
#[derive(Debug)]
pub enum Listener {
    /// On an IP address.
    Tcp(TcpListener),
    /// On a path.
    Unix(UnixListener),
}

thread_local! {
    static REFUSING_NOW: Cell<usize> = const { Cell::new(0) };
}

impl Listener {
    /// Uses a socket that listens already.
    ///
    /// # Errors
    /// The descriptor is not a listening stream socket.
    pub fn new(socket: OwnedFd) -> io::Result<Self> {
        let local = SockRef::from(&socket).local_addr()?;
        if local.is_unix() {
            let listener = std::os::unix::net::UnixListener::from(socket);
            listener.set_nonblocking(true)?;
            return UnixListener::from_std(listener).map(Self::Unix);
        }
        let listener = std::net::TcpListener::from(socket);
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener).map(Self::Tcp)
    }

    /// Accepts connections until the gateway drains. Connections that already wait at that moment are still accepted.
    pub async fn run(self, serving: Rc<Serving>, mut state: watch::Receiver<State>) {
        loop {
            let draining = state.borrow_and_update().is_draining();
            tokio::select! {
                biased;
                accepted = self.accept(&serving) => {
                    if accepted.is_err() {
                        if draining {
                            return;
                        }
                        sleep(PAUSE).await;
                    }
                }
                () = ready(()), if draining => return,
                _ = state.changed(), if !draining => {}
            }
        }
    }

    async fn accept(&self, serving: &Rc<Serving>) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => {
                let (socket, address) = listener.accept().await?;
                prepare(&socket);
                proxied::begin(socket, Peer::Tcp(address), serving, begin_tcp);
            }
            Self::Unix(listener) => {
                let (socket, _) = listener.accept().await?;
                proxied::begin(socket, Peer::Unix, serving, begin_unix);
            }
        }
        serving.counters.accepted.add();
        Ok(())
    }
}

/// Serves a TCP connection of this client, if there is a place for it.
fn begin_tcp(socket: TcpStream, origin: Origin, serving: &Rc<Serving>) {
    match admit(serving, origin.peer) {
        Ok(open) => spawn(serving, &open, serve(socket, origin, Rc::clone(serving), Rc::clone(&open))),
        Err(full) => match tls::refusing_acceptor(serving) {
            Some(acceptor) => refuse(serving, acceptor.accept(socket), full),
            None => refuse(serving, ready(Ok(socket)), full),
        },
    }
}

/// Serves a connection of a Unix socket, if there is a place for it.
fn begin_unix(socket: UnixStream, origin: Origin, serving: &Rc<Serving>) {
    match admit(serving, origin.peer) {
        Ok(open) => {
            let served = connection::serve(socket, origin.client("http"), Rc::clone(serving), Rc::clone(&open));
            spawn(serving, &open, served);
        }
        Err(full) => refuse(serving, ready(Ok(socket)), full),
    }
}

/// Admits a new connection, if there are not too many. The connections of trusted proxies are not limited by their
/// address.
///
/// # Errors
/// [`Full`]: there are too many.
pub fn admit(serving: &Serving, peer: Peer) -> Result<Rc<Connection>, Full> {
    let limited = peer.address().filter(|address| !serving.proxies.contains(Some(*address)));
    let (open, evicted) = serving.connections.admit(limited)?;
    if evicted {
        serving.counters.evicted.add();
    }
    serving.counters.open.add();
    Ok(open)
}

/// Serves a connection with TLS, if there are certificates.
async fn serve(socket: TcpStream, origin: Origin, serving: Rc<Serving>, open: Rc<Connection>) -> Option<Rest> {
    let Some(acceptor) = tls::acceptor(&serving) else {
        return connection::serve(socket, origin.client("http"), serving, open).await;
    };
    let socket = tls::handshake(acceptor, socket, &serving, &open).await?;
    connection::serve(socket, origin.client("https"), serving, open).await
}

/// Runs a connection, and frees its place at its end.
fn spawn(serving: &Rc<Serving>, open: &Rc<Connection>, served: impl Future<Output = Option<Rest>> + 'static) {
    let (serving, open) = (Rc::clone(serving), Rc::clone(open));
    tokio::task::spawn_local(async move {
        let Some(rest) = served.await else { return end(&serving, &open) };
        // A new, small task, because the current task is as large as the state of hyper.
        tokio::task::spawn_local(async move {
            rest.await;
            end(&serving, &open);
        });
    });
}

fn end(serving: &Serving, open: &Connection) {
    free(serving, open);
    serving.notify_if_empty();
}

/// Frees the place of a connection.
pub fn free(serving: &Serving, open: &Connection) {
    serving.connections.remove(open);
    serving.counters.open.subtract();
}

/// Sends a refusal to a connection for which there is no place. `opened` performs the handshake first.
fn refuse<S: Socket>(serving: &Serving, opened: impl Future<Output = io::Result<S>> + 'static, full: Full) {
    let refusal = match full {
        Full::Address => Refusal::TooManyFromAddress,
        Full::Total => Refusal::TooManyConnections,
    };
    let bytes = serving.refusal_bytes(refusal);
    if REFUSING_NOW.get() >= MAX_REFUSING {
        return;
    }
    REFUSING_NOW.set(REFUSING_NOW.get() + 1);
    tokio::task::spawn_local(async move {
        let answering = async {
            let mut socket = opened.await?;
            socket.write_all(&bytes).await?;
            socket.shutdown().await?;
            // A reset would destroy the answer before the client reads it.
            let mut ignored = [0; 4096];
            while socket.read(&mut ignored).await? > 0 {}
            io::Result::Ok(())
        };
        let _ = timeout(REFUSING, answering).await;
        REFUSING_NOW.set(REFUSING_NOW.get() - 1);
    });
}
