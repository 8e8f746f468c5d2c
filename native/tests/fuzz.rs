//! Parsers of bytes from outside, under random inputs: they never panic, and a simple reference agrees with them.
//!
//! `native/tests/framing.rs` does the same for the framing of HTTP/1.1.

mod fuzzing;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fechatter_native::gateway::chunks::{Chunks, Part};
use fechatter_native::gateway::config::Config;
use fechatter_native::gateway::floods::Floods;
use fechatter_native::gateway::tls::Certificates;
use fechatter_native::message::{Message, parse_batch, parse_message};
use fechatter_native::negotiation::{accepts_coding, matches_tag};
use fechatter_native::networks::Network;
use fechatter_native::request_id;
use fechatter_native::token::{MAX_CACHED, Tokens};
use fuzzing::fuzz;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

const JSON_PIECES: [&[u8]; 14] = [
    b"\"",
    b"\\",
    b"\\u0061",
    b"\\ud83d",
    b"\\ude00",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"null",
    b"\xc3\xa9",
    b"\xff",
];

#[test]
fn chunks_end_at_the_same_byte_however_they_arrive() {
    let seeds: [&[u8]; 5] = [
        b"5\r\nhello\r\n0\r\n\r\n",
        b"a;x=y\r\n0123456789\r\n0\r\n\r\n",
        b"0\r\nx: y\r\n\r\n",
        b"1\r\na\r\n1\r\nb\r\n0\r\n\r\nGET / HTTP/1.1\r\n",
        b"ffffffffffffffff\r\n",
    ];
    let pieces: [&[u8]; 8] = [b"\r", b"\n", b"\r\n", b"0", b"f", b";", b" ", b"\0"];
    fuzz(&seeds, &pieces, |input, random| {
        let whole = end_of_chunks(input, usize::MAX);
        assert_eq!(whole, end_of_chunks(input, 1), "{:?}", String::from_utf8_lossy(input));
        assert_eq!(whole, end_of_chunks(input, 1 + random.below(9)), "{:?}", String::from_utf8_lossy(input));
        matches!(whole, Ok(Some(_)))
    });
}

/// Returns where the body ends, or None if more is needed.
fn end_of_chunks(input: &[u8], step: usize) -> Result<Option<usize>, ()> {
    let (mut chunks, mut passed) = (Chunks::default(), 0);
    while passed < input.len() {
        let part = &input[passed..input.len().min(passed.saturating_add(step))];
        match chunks.judge(part) {
            Part::Pass(count) => {
                assert_eq!(count, part.len());
                passed += count;
            }
            Part::End(count) => {
                assert!(count <= part.len());
                return Ok(Some(passed + count));
            }
            Part::Invalid => return Err(()),
        }
    }
    Ok(None)
}

#[test]
fn frames_of_http_2_are_counted_alike_however_they_arrive() {
    let seeds: [&[u8]; 3] = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08\0\0\0\0\x01\0\0\0\x01",
        b"\0\0\x08\x06\0\0\0\0\0aaaaaaaa\0\0\0\x09\0\0\0\0\x01",
    ];
    let pieces: [&[u8]; 4] = [b"\0\0\0\x09\0\0\0\0\x01", b"\0\0\0\0\0\0\0\0\x01", b"\xff\xff\xff", b"\0"];
    fuzz(&seeds, &pieces, |input, random| {
        let counts = |step: usize, limit: u32| {
            let mut floods = Floods::new(limit);
            input.chunks(step).for_each(|part| floods.see(part));
            floods.are_too_many()
        };
        let step = 1 + random.below(12);
        (0..4).for_each(|limit| assert_eq!(counts(usize::MAX, limit), counts(step, limit)));
        counts(1, 0)
    });
}

#[test]
fn only_the_token_that_was_signed_is_valid() {
    let token = signed(r#"{"iss":"fechatter","aud":"fechatter","sub":"7","wid":3,"sid":9,"iat":1000,"exp":1060}"#);
    let other = signed(r#"{"iss":"fechatter","aud":"fechatter","sub":"8","wid":3,"sid":8,"iat":900,"exp":999}"#);
    let pieces: [&[u8]; 6] = [b".", b"=", b"-", b"_", b"A", b"eyJhbGciOiJub25lIn0"];
    let tokens = Arc::new(Tokens::new(SECRET, MAX_CACHED));
    fuzz(&[token.as_bytes(), other.as_bytes()], &pieces, |input, _| {
        let claims = tokens.verify_at(input, 1_000.0);
        assert_eq!(claims.is_some(), input == token.as_bytes(), "{:?}", String::from_utf8_lossy(input));
        claims.is_some()
    });
    assert!(tokens.cached() <= 1);
}

const SECRET: &[u8] = &[b's'; 32];

fn signed(payload: &str) -> String {
    let header = r#"{"alg":"HS256","typ":"at+jwt"}"#;
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).expect("any length");
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

#[test]
fn an_accepted_message_has_the_content_that_a_json_parser_finds() {
    let seeds: [&[u8]; 5] = [
        br#"{"content":"hi"}"#,
        br#"{"content":"\u00e9\ud83d\ude00\n","idempotency_key":"key 1"}"#,
        br#"{"idempotency_key":null,"content":"a"}"#,
        br#"{"content":"a","extras":{"thread_id":5,"mentions":[1,2],"x":[[[]]]}}"#,
        "{\"content\":\"\u{1f44d}\u{1f3fd} e\u{301}\"}".as_bytes(),
    ];
    fuzz(&seeds, &JSON_PIECES, |input, random| {
        let Ok(message) = parse_message(input, None, random.below(2) == 0) else { return false };
        let value = match serde_json::from_slice::<Value>(input) {
            Ok(value) => value,
            // Python checks the extras later, also for half of a surrogate pair.
            Err(_) if message.extras.is_some() => return true,
            Err(error) => panic!("{error}: {}", String::from_utf8_lossy(input)),
        };
        assert_eq!(value["content"].as_str(), Some(message.content.as_str()));
        assert_eq!(value.get("idempotency_key").and_then(Value::as_str), message.key.map(String::from).as_deref());
        true
    });
}

#[test]
fn an_accepted_batch_has_as_many_messages_as_a_json_parser_finds() {
    let seeds: [&[u8]; 4] = [
        br#"{"messages":[{"content":"a"},{"content":"b","idempotency_key":"k"}]}"#,
        br#"{"messages":[{"content":""},5,{"content":"c","content":"d"}]}"#,
        br#"{"messages":[{"content":"a","extras":{"x":[1]}}]}"#,
        br#" { "messages" : [ {"content":"\u0061"} ] } "#,
    ];
    fuzz(&seeds, &JSON_PIECES, |input, random| {
        let Ok(messages) = parse_batch(input, random.below(2) == 0) else { return false };
        let is_plain =
            |message: &Result<Message<'_>, _>| message.as_ref().is_ok_and(|message| message.extras.is_none());
        let value = match serde_json::from_slice::<Value>(input) {
            Ok(value) => value,
            Err(_) if !messages.iter().all(is_plain) => return true,
            Err(error) => panic!("{error}: {}", String::from_utf8_lossy(input)),
        };
        let list = value["messages"].as_array().expect("the member is a list");
        assert_eq!(messages.len(), list.len());
        for (message, value) in messages.iter().zip(list) {
            if let Ok(message) = message {
                assert_eq!(value["content"].as_str(), Some(message.content.as_str()));
            }
        }
        true
    });
}

#[test]
fn a_valid_request_id_can_be_a_header_and_a_part_of_json() {
    let seeds: [&[u8]; 4] = [b"0123456789abcdef", b"a", b"550e8400-e29b-41d4-a716-446655440000", &[b'x'; 60]];
    let pieces: [&[u8]; 8] = [b"\"", b"\\", b"\n", b" ", b",", b"\xc3\xa9", b":", b"-"];
    fuzz(&seeds, &pieces, |input, _| {
        let is_valid = request_id::is_valid(input);
        if is_valid {
            assert!((1..=64).contains(&input.len()) && http::HeaderValue::from_bytes(input).is_ok());
            assert!(input.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b',')));
        }
        is_valid
    });
}

#[test]
fn an_accepted_coding_or_tag_is_named_in_the_header() {
    let seeds: [&[u8]; 5] =
        [b"gzip, deflate, br, zstd", b"br;q=0.5, gzip;q=0", b"*;q=1e-9, BR;q=nan", b"W/\"a\", \"b\"", b"\"a,b\", *"];
    let pieces: [&[u8]; 9] = [b",", b";", b"q=", b"q=0", b"br", b"\"a\"", b"W/", b" ", b"\xff"];
    fuzz(&seeds, &pieces, |input, _| {
        let header = String::from_utf8_lossy(input);
        let (coding, tag) = (accepts_coding(&header, "br"), matches_tag(&header, "\"a\""));
        assert!(!coding || header.to_ascii_lowercase().contains("br"), "{header}");
        assert!(!tag || header.contains("\"a\""), "{header}");
        coding || tag
    });
}

/// A certificate that nobody trusts.
const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----
MIIBVTCCAQegAwIBAgIUErLhZDyfRhr4Gxyq52DPnE1jU+YwBQYDK2VwMBQxEjAQ
BgNVBAMMCWxvY2FsaG9zdDAgFw0yNjExMjcyMzM4MjJaGA8yMTI2MTEwMzIzMzgy
MlowFDESMBAGA1UEAwwJbG9jYWxob3N0MCowBQYDK2VwAyEA/134k5X8FVLvDoCr
y8Jw43gLLekiyEBBH/Bw05N/XoOjaTBnMB0GA1UdDgQWBBRjdT774ihIKFqgiG4q
4vSRstFdRjAfBgNVHSMEGDAWgBRjdT774ihIKFqgiG4q4vSRstFdRjAPBgNVHRMB
Af8EBTADAQH/MBQGA1UdEQQNMAuCCWxvY2FsaG9zdDAFBgMrZXADQQDp6VFdqJy/
VFBlYd8cA5FLYIoJGjLzeUm+j6TJtAtIfgfOb+dvL3Y5IJqJu/c/3T0R4SjjJHLd
XxZ25BEm+m4N
-----END CERTIFICATE-----
";
const KEY: &[u8] = b"-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEILff0idhUli+iITv9w9KwDhhsnGMN5kxHk9h3vb+PBKQ
-----END PRIVATE KEY-----
";

#[test]
fn damaged_certificates_and_keys_are_refused_or_used() {
    let pieces: [&[u8]; 6] = [b"-----", b"\n", b"BEGIN", b"=", b"A", b"ENCRYPTED"];
    let certificates = Certificates::default();
    fuzz(&[CERTIFICATE, KEY], &pieces, |input, random| {
        let pair = match random.below(3) {
            0 => (input.to_vec(), KEY.to_vec()),
            1 => (CERTIFICATE.to_vec(), input.to_vec()),
            _ => (input.to_vec(), input.to_vec()),
        };
        let replaced = certificates.replace(&[pair]);
        assert!(replaced.as_ref().map_or_else(|unusable| unusable.index == 0, |()| true));
        replaced.is_ok()
    });
}

#[test]
fn a_configuration_is_read_or_refused() {
    let seeds: [&[u8]; 3] = [
        br#"{"upstreams":["unix:/a","tcp:[::1]:80"],"limits":{"head_seconds":1.5,"connections":7}}"#,
        br#"{"upstreams":["tcp:a:1"],"titles":{"404":"Not found"},"time_bounds":[0.1],"cors_origins":["*"]}"#,
        br#"{"upstreams":["unix:/a"],"trusted_proxies":["192.0.2.0/24"],"limits":{"body_seconds":1e400}}"#,
    ];
    fuzz(&seeds, &JSON_PIECES, |input, _| Config::parse(input).is_ok_and(|config| !config.upstreams.is_empty()));
}

#[test]
fn a_network_contains_the_address_that_names_it() {
    let seeds: [&[u8]; 5] = [b"192.0.2.0/24", b"2001:db8::/32", b"::1", b"10.0.0.1", b"::ffff:192.0.2.1/128"];
    let pieces: [&[u8]; 6] = [b"/", b":", b".", b"0", b"1", b"f"];
    fuzz(&seeds, &pieces, |input, _| {
        let text = String::from_utf8_lossy(input);
        let Ok(network) = Network::parse(&text) else { return false };
        let address = text.split('/').next().and_then(|address| address.parse::<std::net::IpAddr>().ok());
        let address = address.expect("the network begins with an address");
        assert!(network.contains(address) || address.to_canonical() != address, "{text}");
        true
    });
}
