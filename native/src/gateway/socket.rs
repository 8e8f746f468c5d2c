//! The sockets of clients. A TLS stream wraps a socket and is a socket itself.

use std::mem::MaybeUninit;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use super::stall::KERNEL_BYTES;

/// How long the kernel keeps a connection whose client has vanished.
const VANISHED: Duration = Duration::from_secs(30);

/// A client's connection, with or without encryption.
pub trait Socket: AsyncRead + AsyncWrite + Unpin + 'static {
    /// Makes the socket discard unsent bytes when it is closed.
    fn reset_on_close(&self);

    /// Whether the kernel has bytes to read. Tokio notices new bytes only when it polls all sockets the next time.
    fn has_input(&self) -> bool;

    /// Maximum number of bytes that this socket buffers, in addition to those in the kernel.
    fn buffered_bytes(&self) -> usize {
        0
    }
}

fn has_input(socket: &SockRef<'_>) -> bool {
    socket.peek(&mut [MaybeUninit::uninit()]).is_ok_and(|count| count > 0)
}

impl Socket for TcpStream {
    fn reset_on_close(&self) {
        // If this fails, the kernel keeps sending for some time after the end.
        let _ = SockRef::from(self).set_linger(Some(Duration::ZERO));
    }

    fn has_input(&self) -> bool {
        has_input(&SockRef::from(self))
    }
}

impl Socket for UnixStream {
    fn reset_on_close(&self) {}

    fn has_input(&self) -> bool {
        has_input(&SockRef::from(self))
    }
}

/// Sets the options of a connection that was just accepted. An option that the system refuses is not essential.
pub fn prepare(socket: &TcpStream) {
    let options = SockRef::from(socket);
    let _ = options.set_tcp_nodelay(true);
    let _ = options.set_keepalive(true);
    #[cfg(target_os = "linux")]
    {
        let _ = options.set_tcp_user_timeout(Some(VANISHED));
        // The kernel accepts only this many bytes beyond those that the client can receive.
        let _ = options.set_tcp_notsent_lowat(KERNEL_BYTES);
    }
}

/// The other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// A client at this address.
    Tcp(SocketAddr),
    /// A client on this machine.
    Unix,
}

impl Peer {
    /// The client's address, in its shortest form.
    #[must_use]
    pub fn address(self) -> Option<IpAddr> {
        match self {
            Self::Tcp(address) => Some(address.ip().to_canonical()),
            Self::Unix => None,
        }
    }
}

impl std::fmt::Display for Peer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => SocketAddr::new(address.ip().to_canonical(), address.port()).fmt(out),
            Self::Unix => Ok(()),
        }
    }
}
