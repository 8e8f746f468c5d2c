//! Accepts connections from one listening socket.

use std::cell::Cell;
use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::client::Client;
use super::connection;
use super::connections::Full;
use super::refusal::Refusal;
use super::serving::Serving;
use super::socket::{Peer, Socket, prepare};
use super::state::State;

/// How long the listener waits after the system refused a connection, for example because too many files are open.
const PAUSE: Duration = Duration::from_millis(50);
/// Connections that are refused with an answer at the same time. Others are closed without one.
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

    /// Accepts connections until the gateway drains. Those that already wait at that moment are still accepted.
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
                () = std::future::ready(()), if draining => return,
                _ = state.changed(), if !draining => {}
            }
        }
    }

    async fn accept(&self, serving: &Rc<Serving>) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => {
                let (socket, address) = listener.accept().await?;
                prepare(&socket);
                let peer = Peer::Tcp(address);
                let limited = peer.address().filter(|address| !serving.is_trusted(*address));
                admit(serving, socket, peer, limited);
            }
            Self::Unix(listener) => {
                let (socket, _) = listener.accept().await?;
                admit(serving, socket, Peer::Unix, None);
            }
        }
        Ok(())
    }
}

/// Serves the connection, or refuses it if there are too many.
fn admit<S: Socket>(serving: &Rc<Serving>, socket: S, peer: Peer, limited: Option<IpAddr>) {
    serving.counters.accepted.add();
    let (open, evicted) = match serving.connections.admit(limited) {
        Ok(admitted) => admitted,
        Err(full) => {
            refuse(serving, socket, full);
            return;
        }
    };
    if evicted {
        serving.counters.evicted.add();
    }
    serving.counters.open.add();
    let serving = Rc::clone(serving);
    tokio::task::spawn_local(async move {
        let client = Client::new(peer, "http");
        connection::serve(socket, client, Rc::clone(&serving), Rc::clone(&open)).await;
        serving.connections.remove(&open);
        serving.counters.open.subtract();
        serving.notify_if_empty();
    });
}

fn refuse<S: Socket>(serving: &Serving, mut socket: S, full: Full) {
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
