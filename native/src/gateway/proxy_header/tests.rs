//! Tests of the PROXY protocol.

use super::*;

fn read_all(bytes: &[u8]) -> Result<(Header, Vec<u8>), io::ErrorKind> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut rest = bytes;
    let header = runtime.block_on(read(&mut rest)).map_err(|error| error.kind())?;
    Ok((header, rest.to_vec()))
}

fn client(address: &str, is_secure: bool) -> Header {
    Header::Client { address: address.parse().expect("the address is valid"), is_secure }
}

fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).expect("the rest is short").to_be_bytes();
    [&SIGNATURE[..], &[command, family], &length, rest].concat()
}

const V4: [u8; 12] = [203, 0, 113, 9, 10, 0, 0, 1, 0x12, 0x67, 0, 80];

fn v6(source: &str) -> Vec<u8> {
    let source: Ipv6Addr = source.parse().expect("the address is valid");
    [&source.octets()[..], &[0; 16], &[0x12, 0x67, 0, 80]].concat()
}

#[test]
fn version_1_names_the_client() {
    for (line, header) in [
        ("PROXY TCP4 203.0.113.9 10.0.0.1 4711 80", client("203.0.113.9:4711", false)),
        ("PROXY TCP6 2001:db8::9 ::1 4711 80", client("[2001:db8::9]:4711", false)),
        ("PROXY TCP6 ::ffff:203.0.113.9 ::1 0 65535", client("203.0.113.9:0", false)),
        ("PROXY UNKNOWN", Header::Local),
        ("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535", Header::Local),
    ] {
        let bytes = format!("{line}\r\nGET / HTTP/1.1\r\n");
        assert_eq!(read_all(bytes.as_bytes()), Ok((header, b"GET / HTTP/1.1\r\n".to_vec())), "{line}");
    }
}

#[test]
fn other_lines_are_refused() {
    let long = format!("PROXY UNKNOWN {}", "x".repeat(200));
    for line in [
        "GET / HTTP/1.1",
        "proxy TCP4 203.0.113.9 10.0.0.1 4711 80",
        "PROXY TCP4 203.0.113.9 10.0.0.1 4711",
        "PROXY TCP4 203.0.113.9 10.0.0.1 4711 80 ",
        "PROXY TCP4 203.0.113.9  10.0.0.1 4711 80",
        "PROXY TCP4 203.0.113.9 10.0.0.1 04711 80",
        "PROXY TCP4 203.0.113.9 10.0.0.1 +4711 80",
        "PROXY TCP4 203.0.113.9 10.0.0.1 65536 80",
        "PROXY TCP4 203.0.113.009 10.0.0.1 4711 80",
        "PROXY TCP4 2001:db8::9 ::1 4711 80",
        "PROXY TCP6 203.0.113.9 10.0.0.1 4711 80",
        "PROXY TCP5 203.0.113.9 10.0.0.1 4711 80",
        "PROXY  TCP4 203.0.113.9 10.0.0.1 4711 80",
        "PROXY TCP4 203.0.113.9 10.0.0.1 4711 80\n",
        "PROXY TCP4\x00203.0.113.9 10.0.0.1 4711 80",
        &long,
    ] {
        assert_eq!(read_all(format!("{line}\r\n").as_bytes()), Err(io::ErrorKind::InvalidData), "{line}");
    }
    assert_eq!(read_all(b"PROXY TCP4 203.0.113.9"), Err(io::ErrorKind::UnexpectedEof));
}

#[test]
fn version_2_names_the_client() {
    for (header, bytes) in [
        (client("203.0.113.9:4711", false), binary(0x21, TCP_V4, &V4)),
        (client("[2001:db8::9]:4711", false), binary(0x21, TCP_V6, &v6("2001:db8::9"))),
        (client("203.0.113.9:4711", false), binary(0x21, TCP_V6, &v6("::ffff:203.0.113.9"))),
        (
            client("203.0.113.9:4711", true),
            binary(0x21, TCP_V4, &[&V4[..], &[4, 0, 1, 7, TLS, 0, 5, 1, 0, 0, 0, 0]].concat()),
        ),
        (client("203.0.113.9:4711", false), binary(0x21, TCP_V4, &[&V4[..], &[TLS, 0, 5, 6, 0, 0, 0, 0]].concat())),
        (Header::Local, binary(0x20, 0, &[])),
        (Header::Local, binary(0x20, TCP_V4, &V4)),
        (Header::Local, binary(0x21, 0x31, &[0; 216])),
        (Header::Local, binary(0x21, 0x12, &V4)),
    ] {
        let whole = [&bytes[..], b"GET"].concat();
        assert_eq!(read_all(&whole), Ok((header, b"GET".to_vec())), "{bytes:?}");
        for end in 0..bytes.len() {
            assert_eq!(read_all(&bytes[..end]), Err(io::ErrorKind::UnexpectedEof), "{end}");
        }
    }
}

#[test]
fn other_binary_headers_are_refused() {
    for bytes in [
        binary(0x11, TCP_V4, &V4),
        binary(0x22, TCP_V4, &V4),
        binary(0x21, TCP_V4, &V4[..11]),
        binary(0x21, TCP_V6, &V4),
        binary(0x21, TCP_V4, &[&V4[..], &[TLS]].concat()),
        binary(0x21, TCP_V4, &[&V4[..], &[TLS, 0, 9, 1]].concat()),
        binary(0x21, TCP_V4, &[&V4[..], &[TLS, 0, 0]].concat()),
        binary(0x20, TCP_V4, &[0; MAX_REST_BYTES + 1]),
    ] {
        assert_eq!(read_all(&bytes), Err(io::ErrorKind::InvalidData), "{bytes:?}");
    }
}

#[test]
fn random_bytes_never_panic() {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u8::try_from(state >> 24).unwrap_or(0)
    };
    for round in 0..20_000 {
        let length = usize::from(next());
        let mut rest: Vec<u8> = (0..length).map(|_| next()).collect();
        if round % 2 == 0 {
            rest = binary(0x20 | (next() % 3), [TCP_V4, TCP_V6, next()][round % 3], &rest);
        }
        let _ = read_all(&rest);
    }
}
