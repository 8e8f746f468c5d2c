//! What proxies state about their clients, under random inputs: no client chooses its own address.

mod fuzzing;

use fechatter_native::forwarded::{Headers, TrustedProxies};
use fechatter_native::gateway::proxy_header::{Header, read};
use fuzzing::fuzz;
use tokio::runtime::Builder;

const PROXY: &str = "10.0.0.1";
const CLIENT: &str = "203.0.113.9";

/// Returns the address of a client behind a proxy that appends `own` to what the client sent.
fn seen(headers: Headers, name: &str, sent: &[u8], own: &str) -> String {
    let proxies = TrustedProxies::parse(&["10.0.0.0/8".to_owned()], headers).expect("the network is valid");
    let line = [sent, b", ", own.as_bytes()].concat();
    let found = proxies.client(PROXY, [(name.as_bytes(), line.as_slice())].into_iter());
    found.address.into_owned()
}

#[test]
fn no_client_hides_the_address_that_a_proxy_appends_to_forwarded() {
    let seeds: [&[u8]; 4] = [
        b"for=198.51.100.66;proto=https",
        b"for=\"[2001:db8::1]:80\", for=10.0.0.2",
        b"for=\"a\\\"b\";by=_x",
        b"host=\"a,b\"; for=unknown",
    ];
    let pieces: [&[u8]; 9] = [b"\"", b"\\", b",", b";", b"=", b"for=", b" ", b"10.0.0.2", b"\xff"];
    fuzz(&seeds, &pieces, |input, random| {
        let own = ["for=203.0.113.9", "for=\"203.0.113.9:80\"", "proto=http;for=203.0.113.9"][random.below(3)];
        let address = seen(Headers::Forwarded, "forwarded", input, own);
        assert!(address == CLIENT || address == PROXY, "{}: {address}", String::from_utf8_lossy(input));
        address == CLIENT
    });
}

#[test]
fn no_client_hides_the_address_that_a_proxy_appends_to_x_forwarded_for() {
    let seeds: [&[u8]; 3] = [b"198.51.100.66, 10.0.0.2", b"[2001:db8::1]:80", b"unknown"];
    let pieces: [&[u8]; 7] = [b"\"", b",", b":", b"[", b" ", b"10.0.0.2", b"\xff"];
    fuzz(&seeds, &pieces, |input, _| seen(Headers::XForwarded, "x-forwarded-for", input, CLIENT) == CLIENT);
}

#[test]
fn a_header_of_the_proxy_protocol_is_read_to_its_end_or_refused() {
    let seeds: [&[u8]; 4] = [
        b"PROXY TCP4 203.0.113.9 10.0.0.1 4711 80\r\nGET",
        b"PROXY UNKNOWN\r\nGET",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x09\x0a\0\0\x01\x12\x67\0\x50GET",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x2c0123456789abcdef0123456789abcdef\x12\x67\0\x50\x20\0\x05\x01\0\0\0\0",
    ];
    let pieces: [&[u8]; 7] = [b"\r", b"\n", b" ", b"PROXY ", b"TCP6", b"\0", b"\xff"];
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    fuzz(&seeds, &pieces, |input, _| {
        let mut rest = input;
        let Ok(header) = runtime.block_on(read(&mut rest)) else { return false };
        let read = &input[..input.len() - rest.len()];
        assert!(read.starts_with(b"\r\n\r\n\0\r\nQUIT\n") || read.ends_with(b"\r\n"));
        if let Header::Client { address, .. } = header {
            assert_eq!(address.ip(), address.ip().to_canonical());
        }
        true
    });
}
