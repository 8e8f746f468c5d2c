//! The client behind trusted proxies: its address, and the scheme that it used. Both entry points ask here.
//!
//! A header counts only if it comes from a trusted proxy. Each proxy appends the address of its peer, so addresses are
//! read from right to left. The client is the first address that is not a trusted proxy. A client can forge only the
//! addresses to the left of its own.

use std::borrow::Cow;
use std::net::IpAddr;

use serde::Deserialize;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error as Invalid, StrDeserializer};

use crate::networks::{InvalidNetwork, Network, parse_address};

/// The headers that the trusted proxies set. All others are ignored, because a proxy passes them on unchanged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Headers {
    /// `X-Forwarded-For` and `X-Forwarded-Proto`.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl Headers {
    /// Finds the headers by the name that settings use.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let name: StrDeserializer<'_, Invalid> = name.into_deserializer();
        Self::deserialize(name).ok()
    }
}

/// The name of the clients of a Unix socket in a list of proxies.
pub const UNIX: &str = "unix";

/// The proxies whose headers count.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies {
    networks: Vec<Network>,
    unix: bool,
    headers: Headers,
}

/// What is known about the client of a request.
#[derive(Debug, PartialEq, Eq)]
pub struct Client<'a> {
    /// Its address in the shortest form. Any other name of a peer is unchanged, and empty if there is none.
    pub address: Cow<'a, str>,
    /// Whether it used HTTPS, if a trusted proxy states it.
    pub is_secure: Option<bool>,
}

impl TrustedProxies {
    /// Trusts `headers` of these proxies: networks, or [`UNIX`].
    ///
    /// # Errors
    /// [`InvalidNetwork`]: a text is not a network.
    pub fn parse(proxies: &[String], headers: Headers) -> Result<Self, InvalidNetwork> {
        let networks = proxies.iter().filter(|text| *text != UNIX).map(|text| Network::parse(text));
        let unix = proxies.iter().any(|text| text == UNIX);
        Ok(Self { networks: networks.collect::<Result<_, _>>()?, unix, headers })
    }

    /// Whether a peer is a trusted proxy; `None` is a client of a Unix socket.
    #[must_use]
    pub fn contains(&self, peer: Option<IpAddr>) -> bool {
        peer.map_or(self.unix, |address| self.networks.iter().any(|network| network.contains(address)))
    }

    /// Whether the headers of a request that came from `peer` count.
    #[must_use]
    pub fn trusts(&self, peer: &str) -> bool {
        let address = parse_address(peer);
        (address.is_some() || peer.is_empty()) && self.contains(address)
    }

    /// Returns the client of a request that came from `peer` with these header lines. Names are in lower case.
    #[must_use]
    pub fn client<'a, 'b>(&self, peer: &'a str, lines: impl Iterator<Item = (&'b [u8], &'b [u8])>) -> Client<'a> {
        let nearest = parse_address(peer);
        if !self.trusts(peer) {
            return Client { address: shortest(peer, nearest), is_secure: None };
        }
        let (nearest, is_secure) = match self.headers {
            Headers::XForwarded => self.by_x_forwarded(nearest, lines),
            Headers::Forwarded => self.by_forwarded(nearest, lines),
        };
        Client { address: nearest.map(|address| address.to_string()).unwrap_or_default().into(), is_secure }
    }

    fn by_x_forwarded<'a>(
        &self,
        mut nearest: Option<IpAddr>,
        lines: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> (Option<IpAddr>, Option<bool>) {
        let (mut addresses, mut schemes): (Vec<&[u8]>, Vec<&[u8]>) = (Vec::new(), Vec::new());
        for (name, value) in lines {
            match name {
                b"x-forwarded-for" => addresses.push(value),
                b"x-forwarded-proto" => schemes.push(value),
                _ => {}
            }
        }
        let mut elements = addresses.into_iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
        while self.contains(nearest) {
            let Some(before) = elements.next().and_then(address_of) else { break };
            nearest = Some(before);
        }
        (nearest, outermost_scheme(&schemes))
    }

    fn by_forwarded<'a>(
        &self,
        mut nearest: Option<IpAddr>,
        lines: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> (Option<IpAddr>, Option<bool>) {
        let lines: Vec<_> = lines.filter(|(name, _)| *name == b"forwarded").map(|(_, value)| value).collect();
        let mut is_secure = None;
        'lines: for line in lines.into_iter().rev() {
            let Some(elements) = parse_forwarded(line) else { break };
            for element in elements.iter().rev() {
                if !self.contains(nearest) {
                    break 'lines;
                }
                // A trusted proxy states what it saw, also about a client whose name it hides.
                is_secure = element.scheme.as_deref().and_then(scheme_of);
                let Some(before) = element.address.as_deref().and_then(address_of) else { break 'lines };
                nearest = Some(before);
            }
        }
        (nearest, is_secure)
    }
}

fn shortest(text: &str, address: Option<IpAddr>) -> Cow<'_, str> {
    // The zone of an address is kept.
    address.filter(|_| !text.contains('%')).map_or(text.into(), |address| address.to_string().into())
}

/// Each proxy may append the scheme that it saw, so the first element comes from the outermost proxy. If a proxy
/// appends, a client can forge the first element. That affects only links and the cookie in the client's own response.
fn outermost_scheme(lines: &[&[u8]]) -> Option<bool> {
    let elements = lines.iter().flat_map(|line| line.split(|byte| *byte == b','));
    let mut named = elements.map(|element| trim(element, |byte| matches!(byte, b' ' | b'"')));
    named.find(|element| !element.is_empty()).and_then(scheme_of)
}

fn scheme_of(name: &[u8]) -> Option<bool> {
    let is = |other: &[u8]| name.eq_ignore_ascii_case(other);
    if is(b"https") || is(b"wss") {
        return Some(true);
    }
    (is(b"http") || is(b"ws")).then_some(false)
}

/// Reads an address with the port that some proxies add: `192.0.2.1:4711`, `[2001:db8::1]:4711`.
fn address_of(element: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(element).ok()?.trim();
    if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        let is_alone = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return is_alone.then(|| parse_plain(address)).flatten();
    }
    match text.split_once(':') {
        Some((address, port)) if address.contains('.') && is_port(port) => parse_plain(address),
        _ => parse_plain(text),
    }
}

/// Reads an address without a zone, which means nothing on another machine.
fn parse_plain(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

fn is_port(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What one proxy states about the hop before it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Element<'a> {
    address: Option<Cow<'a, [u8]>>,
    scheme: Option<Cow<'a, [u8]>>,
}

/// Parses one line of `Forwarded`. `None` if any part is malformed: a client could hide the proxy's own element behind
/// an open quote.
fn parse_forwarded(line: &[u8]) -> Option<Vec<Element<'_>>> {
    let (mut elements, mut element) = (Vec::new(), Element::default());
    let mut rest = line;
    loop {
        rest = trim_start(rest);
        if let Some((name, after)) = split_name(rest) {
            let (value, after) = split_value(after)?;
            let place = match name.to_ascii_lowercase().as_slice() {
                b"for" => Some(&mut element.address),
                b"proto" => Some(&mut element.scheme),
                _ => None,
            };
            if place.is_some_and(|place| place.replace(value).is_some()) {
                return None;
            }
            rest = trim_start(after);
        }
        match rest.split_first() {
            None => {
                elements.push(element);
                return Some(elements);
            }
            Some((b';', after)) => rest = after,
            Some((b',', after)) => {
                elements.push(std::mem::take(&mut element));
                rest = after;
            }
            Some(_) => return None,
        }
    }
}

/// Splits `name=` from the beginning.
fn split_name(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|byte| !is_name(*byte))?;
    (end > 0 && text[end] == b'=').then(|| (&text[..end], &text[end + 1..]))
}

/// Splits a value from the beginning: in quotes, or without any. Brackets and colons without quotes are common.
fn split_value(text: &[u8]) -> Option<(Cow<'_, [u8]>, &[u8])> {
    let Some(quoted) = text.strip_prefix(b"\"") else {
        let end = text.iter().position(|byte| !is_unquoted(*byte)).unwrap_or(text.len());
        return (end > 0).then(|| (text[..end].into(), &text[end..]));
    };
    let end = quoted.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    if quoted[end] == b'"' {
        return Some((quoted[..end].into(), &quoted[end + 1..]));
    }
    let (mut value, mut bytes) = (quoted[..end].to_vec(), quoted[end..].iter());
    loop {
        match bytes.next()? {
            b'"' => return Some((value.into(), bytes.as_slice())),
            b'\\' => value.push(*bytes.next()?),
            byte => value.push(*byte),
        }
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

fn is_unquoted(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\')
}

fn trim(text: &[u8], mut is_removed: impl FnMut(u8) -> bool) -> &[u8] {
    let first = text.iter().position(|byte| !is_removed(*byte)).unwrap_or(text.len());
    let last = text.iter().rposition(|byte| !is_removed(*byte)).map_or(first, |last| last + 1);
    &text[first..last]
}

fn trim_start(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|byte| !matches!(byte, b' ' | b'\t')).unwrap_or(text.len());
    &text[end..]
}

#[cfg(test)]
mod tests;
