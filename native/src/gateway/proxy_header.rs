//! The PROXY protocol: the first bytes of a connection name the client behind a TCP proxy.
//!
//! Source: "The PROXY protocol, versions 1 and 2", by `HAProxy`. A trusted proxy must send the header, and no other
//! client may. So the gateway never guesses whether a connection begins with a header.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt as _};

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Maximum size of a header of version 1, with its end.
const LINE_BYTES: usize = 107;
/// Maximum size of the rest of a header of version 2. Proxies append certificates and names, but no more than this.
const MAX_REST_BYTES: usize = 4096;
const VERSION: u8 = 2;
const LOCAL: u8 = 0;
const PROXY: u8 = 1;
const TCP_V4: u8 = 0x11;
const TCP_V6: u8 = 0x21;
const TLS: u8 = 0x20;
/// The client of the proxy used TLS.
const CLIENT_TLS: u8 = 1;

/// The statement of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// The proxy itself connects, for example for a health check, or it does not know the client's address.
    Local,
    /// The proxy forwards a client.
    Client {
        /// The client's address and port.
        address: SocketAddr,
        /// Whether the client used TLS, which ended at the proxy.
        is_secure: bool,
    },
}

/// Reads the header from the beginning of a connection, and no byte after it.
///
/// # Errors
/// [`io::Error`]: the header is malformed, or the connection ended.
pub async fn read<S: AsyncRead + Unpin>(socket: &mut S) -> io::Result<Header> {
    let mut start = [0; SIGNATURE.len()];
    socket.read_exact(&mut start).await?;
    if start == SIGNATURE {
        return read_binary(socket).await;
    }
    let mut line = start.to_vec();
    while !line.ends_with(b"\r\n") {
        // The bytes after the line are not part of the header, so the line is read byte by byte.
        if line.len() == LINE_BYTES || line.contains(&b'\n') {
            return Err(malformed());
        }
        line.push(socket.read_u8().await?);
    }
    parse_line(&line[..line.len() - 2]).ok_or_else(malformed)
}

async fn read_binary<S: AsyncRead + Unpin>(socket: &mut S) -> io::Result<Header> {
    let (command, family, length) = (socket.read_u8().await?, socket.read_u8().await?, socket.read_u16().await?);
    let length = usize::from(length);
    if command >> 4 != VERSION || length > MAX_REST_BYTES {
        return Err(malformed());
    }
    let mut rest = vec![0; length];
    socket.read_exact(&mut rest).await?;
    match command & 0xf {
        LOCAL => Ok(Header::Local),
        PROXY => parse_rest(family, &rest).ok_or_else(malformed),
        _ => Err(malformed()),
    }
}

fn malformed() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

/// Parses `PROXY TCP4 source destination port port`.
fn parse_line(line: &[u8]) -> Option<Header> {
    let mut words = std::str::from_utf8(line).ok()?.strip_prefix("PROXY ")?.split(' ');
    let family = words.next()?;
    if family == "UNKNOWN" {
        return Some(Header::Local);
    }
    let (source, destination) = (words.next()?.parse::<IpAddr>().ok()?, words.next()?.parse::<IpAddr>().ok()?);
    let (port, _) = (parse_port(words.next()?)?, parse_port(words.next()?)?);
    let is_family = match family {
        "TCP4" => source.is_ipv4() && destination.is_ipv4(),
        "TCP6" => source.is_ipv6() && destination.is_ipv6(),
        _ => false,
    };
    let is_valid = is_family && words.next().is_none();
    is_valid.then(|| Header::Client { address: SocketAddr::new(source.to_canonical(), port), is_secure: false })
}

fn parse_port(text: &str) -> Option<u16> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    is_number.then(|| text.parse().ok()).flatten()
}

/// Parses the addresses of version 2, and the parts that follow them.
fn parse_rest(family: u8, rest: &[u8]) -> Option<Header> {
    let (source, port, more) = match family {
        TCP_V4 => {
            let (addresses, more) = rest.split_first_chunk::<12>()?;
            let [a, b, c, d, ..] = *addresses;
            (IpAddr::from(Ipv4Addr::new(a, b, c, d)), [addresses[8], addresses[9]], more)
        }
        TCP_V6 => {
            let (addresses, more) = rest.split_first_chunk::<36>()?;
            let (source, _) = addresses.split_first_chunk::<16>()?;
            (IpAddr::from(Ipv6Addr::from(*source)).to_canonical(), [addresses[32], addresses[33]], more)
        }
        // Datagrams, Unix sockets and unknown families name no client address.
        _ => return Some(Header::Local),
    };
    let address = SocketAddr::new(source, u16::from_be_bytes(port));
    Some(Header::Client { address, is_secure: has_tls(more)? })
}

/// Whether the client used TLS. `None` if the parts are malformed.
fn has_tls(mut parts: &[u8]) -> Option<bool> {
    let mut found = false;
    while let Some((&kind, rest)) = parts.split_first() {
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        if kind == TLS {
            found |= value.first()? & CLIENT_TLS != 0;
        }
        parts = rest;
    }
    Some(found)
}

#[cfg(test)]
mod tests;
