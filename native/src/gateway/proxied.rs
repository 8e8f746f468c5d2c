//! Connections that come through proxies which speak the PROXY protocol.
//!
//! A trusted proxy must send the header. From any other client, the header is malformed HTTP.

use std::future::{Future as _, poll_fn};
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use tokio::time::sleep_until;

use super::client::Client;
use super::listener::{admit, free};
use super::proxy_header::{self, Header};
use super::quiet::Connection;
use super::serving::Serving;
use super::socket::{Peer, Socket};

/// Where a connection comes from.
#[derive(Debug, Clone, Copy)]
pub struct Origin {
    /// The client, or a proxy that does not name its client.
    pub peer: Peer,
    /// Whether the client used TLS, which ended at a proxy.
    is_secure: bool,
    /// Whether the peer is a proxy that does not name its client.
    is_nameless: bool,
}

impl Origin {
    /// Describes the client. `scheme` is the scheme of the connection.
    #[must_use]
    pub fn client(self, scheme: &'static str) -> Client {
        let client = Client::new(self.peer, if self.is_secure { "https" } else { scheme });
        Client { is_nameless: self.is_nameless, ..client }
    }
}

/// Determines where a connection comes from, and passes it to `next`.
pub fn begin<S: Socket>(
    socket: S,
    peer: Peer,
    serving: &Rc<Serving>,
    next: impl FnOnce(S, Origin, &Rc<Serving>) + 'static,
) {
    let origin = Origin { peer, is_secure: false, is_nameless: false };
    if !(serving.config.proxy_protocol && serving.proxies.contains(peer.address())) {
        return next(socket, origin, serving);
    }
    // If there is no place for the connection, it is closed without an answer, because its client is unknown.
    let Ok(open) = admit(serving, peer) else { return };
    let serving = Rc::clone(serving);
    tokio::task::spawn_local(async move {
        let (mut socket, serving) = (socket, serving);
        let header = read(&mut socket, &serving, &open).await;
        // The client gets a place of its own, which counts for the client's address.
        free(&serving, &open);
        match header {
            Ok(Header::Local) => next(socket, Origin { is_nameless: true, ..origin }, &serving),
            Ok(Header::Client { address, is_secure }) => {
                next(socket, Origin { peer: Peer::Tcp(address), is_secure, ..origin }, &serving);
            }
            Err(_) => serving.counters.proxy_headers_refused.add(),
        }
        serving.notify_if_empty();
    });
}

/// Reads the header. The time limit until the first request includes this.
async fn read<S: Socket>(socket: &mut S, serving: &Serving, connection: &Connection) -> io::Result<Header> {
    let mut deadline = pin!(sleep_until(connection.quiet_since() + serving.config.limits.head_seconds));
    let mut reading = pin!(proxy_header::read(socket));
    poll_fn(|context| {
        connection.wake_on_change(context.waker());
        if let Poll::Ready(result) = reading.as_mut().poll(context) {
            return Poll::Ready(result);
        }
        if connection.is_closing() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        deadline.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    })
    .await
}
