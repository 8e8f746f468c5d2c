//! The headers that describe the client of a request to an upstream.

use std::net::IpAddr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::client::Client;
use super::proxy::REQUEST_ID;
use super::serving::Serving;
use crate::forwarded::{Headers, TrustedProxies};

const PEER: HeaderName = HeaderName::from_static("x-fechatter-peer");
const SCHEME: HeaderName = HeaderName::from_static("x-fechatter-scheme");
const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
/// The headers that describe the client to a server behind a stand-alone gateway.
const CLIENT: [HeaderName; 3] = [FOR, PROTO, FORWARDED_HOST];
/// Headers that other proxies use for the same purpose. A client could forge them.
const OTHERS: [HeaderName; 4] = [
    header::FORWARDED,
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-forwarded-server"),
];

/// Describes the client to the upstream.
pub fn describe(serving: &Serving, client: &Client, request_id: &HeaderValue, headers: &mut HeaderMap) {
    headers.insert(REQUEST_ID, request_id.clone());
    if client.is_nameless {
        remove(headers, &CLIENT);
        remove(headers, &OTHERS);
    }
    let scheme = HeaderValue::from_static(client.scheme);
    if serving.config.alone.is_none() {
        headers.insert(PEER, client.peer.clone());
        headers.insert(SCHEME, scheme);
        return;
    }
    let address = client.address.parse().ok();
    let is_proxy = !client.is_nameless && serving.proxies.contains(address);
    if is_proxy && serving.config.proxy_headers == Headers::Forwarded {
        translate(&serving.proxies, address, headers);
    }
    replace(headers, address, is_proxy, scheme);
}

/// Replaces the `X-Forwarded-` headers with the statements of trusted proxies in `Forwarded`.
fn translate(proxies: &TrustedProxies, address: Option<IpAddr>, headers: &mut HeaderMap) {
    let peer = address.map(|address| address.to_string()).unwrap_or_default();
    let lines = headers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
    let found = proxies.client(&peer, lines);
    let named =
        HeaderValue::from_str(&found.address).ok().filter(|_| !found.address.is_empty() && found.address != peer);
    let scheme = found.is_secure.map(|is_secure| if is_secure { "https" } else { "http" });
    remove(headers, &CLIENT);
    if let Some(named) = named {
        headers.insert(FOR, named);
    }
    if let Some(scheme) = scheme {
        headers.insert(PROTO, HeaderValue::from_static(scheme));
    }
}

fn replace(headers: &mut HeaderMap, address: Option<IpAddr>, is_proxy: bool, scheme: HeaderValue) {
    remove(headers, &OTHERS);
    if !is_proxy {
        remove(headers, &CLIENT);
    }
    if let Some(address) = address {
        let earlier = headers.get_all(FOR).iter().filter_map(|value| value.to_str().ok());
        let all: Vec<_> = earlier.map(str::to_owned).chain([address.to_string()]).collect();
        // Visible ASCII joined with commas is a valid header.
        if let Ok(all) = HeaderValue::try_from(all.join(", ")) {
            headers.insert(FOR, all);
        }
    }
    if !headers.contains_key(PROTO) {
        headers.insert(PROTO, scheme);
    }
    if let Some(host) = headers.get(header::HOST).filter(|_| !headers.contains_key(FORWARDED_HOST)).cloned() {
        headers.insert(FORWARDED_HOST, host);
    }
}

fn remove(headers: &mut HeaderMap, names: &[HeaderName]) {
    for name in names {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(given: &[(&'static str, &'static str)], is_proxy: bool) -> Vec<(String, String)> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("chat.example.org"));
        for (name, value) in given {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        replace(&mut headers, "192.0.2.1".parse().ok(), is_proxy, HeaderValue::from_static("http"));
        let mut all: Vec<_> =
            headers.iter().map(|(name, value)| (name.to_string(), value.to_str().expect("ASCII").to_owned())).collect();
        all.sort();
        all
    }

    fn headers(client: &str, host: &str, scheme: &str) -> Vec<(String, String)> {
        let pairs = [("host", "chat.example.org"), ("x-forwarded-for", client)];
        let more = [("x-forwarded-host", host), ("x-forwarded-proto", scheme)];
        pairs.iter().chain(&more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    const GIVEN: [(&str, &str); 6] = [
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-for", "198.51.100.7"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "public.example.org"),
        ("x-real-ip", "203.0.113.9"),
        ("forwarded", "for=203.0.113.9"),
    ];

    #[test]
    fn what_a_client_claims_is_removed() {
        assert_eq!(replaced(&GIVEN, false), headers("192.0.2.1", "chat.example.org", "http"));
        assert_eq!(replaced(&[], false), headers("192.0.2.1", "chat.example.org", "http"));
    }

    #[test]
    fn proxies_that_set_forwarded_are_translated() {
        let proxies = TrustedProxies::parse(&["192.0.2.0/24".to_owned()], Headers::Forwarded).expect("a network");
        let mut headers = HeaderMap::new();
        headers.insert(FOR, HeaderValue::from_static("10.0.0.1"));
        headers.insert(header::FORWARDED, HeaderValue::from_static("for=203.0.113.9;proto=https"));
        translate(&proxies, "192.0.2.1".parse().ok(), &mut headers);
        assert_eq!((headers[FOR].as_bytes(), headers[PROTO].as_bytes()), (&b"203.0.113.9"[..], &b"https"[..]));
    }

    #[test]
    fn a_trusted_proxy_is_appended() {
        let chain = "203.0.113.9, 198.51.100.7, 192.0.2.1";
        assert_eq!(replaced(&GIVEN, true), headers(chain, "public.example.org", "https"));
        assert_eq!(replaced(&[], true), headers("192.0.2.1", "chat.example.org", "http"));
    }
}
