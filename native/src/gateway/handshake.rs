//! The handshake of a WebSocket: how the gateway recognises a request for one, and its answer (RFC 6455).
//!
//! The app judges the rest of the request, so both entry points refuse it with the same problems.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Version};
use hyper::body::Body;

/// Reports to the app that the client asks for a WebSocket. The connection's own headers do not reach the app.
pub const UPGRADE: HeaderName = HeaderName::from_static("x-fechatter-upgrade");
/// Its value.
pub const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
const FIRST_LINE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n";

/// Whether a client asks for a WebSocket. Another request for an upgrade is an ordinary request.
#[must_use]
pub fn is_asked(request: &Request<impl Body>) -> bool {
    request.method() == Method::GET
        && request.version() == Version::HTTP_11
        && request.body().is_end_stream()
        && names(request.headers(), &header::CONNECTION, b"upgrade")
        && names(request.headers(), &header::UPGRADE, b"websocket")
}

/// Whether the app's answer accepts a WebSocket. A request for another stream may also ask for one.
#[must_use]
pub fn is_accepted(headers: &HeaderMap) -> bool {
    headers.contains_key(header::SEC_WEBSOCKET_ACCEPT)
}

fn names(headers: &HeaderMap, header: &HeaderName, token: &[u8]) -> bool {
    let mut tokens = headers.get_all(header).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    tokens.any(|name| name.trim_ascii().eq_ignore_ascii_case(token))
}

/// Returns the answer that makes a WebSocket of the connection. `headers` are those of the app's answer.
#[must_use]
pub fn answer(headers: &HeaderMap) -> Vec<u8> {
    const OF_A_BODY: [HeaderName; 3] = [header::CONTENT_LENGTH, header::CONTENT_TYPE, header::TRANSFER_ENCODING];
    let mut answer = FIRST_LINE.to_vec();
    for (name, value) in headers.iter().filter(|(name, _)| !OF_A_BODY.contains(name)) {
        answer.extend_from_slice(name.as_str().as_bytes());
        answer.extend_from_slice(b": ");
        answer.extend_from_slice(value.as_bytes());
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(b"\r\n");
    answer
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http_body_util::{Empty, Full};

    use super::*;

    fn request(connection: &str, upgrade: &str) -> Request<Empty<Bytes>> {
        let request = Request::get("/ws").header("connection", connection).header("upgrade", upgrade);
        request.body(Empty::new()).expect("a request")
    }

    #[test]
    fn a_websocket_is_asked_for_with_two_headers_on_http_1_1() {
        assert!(
            is_asked(&request("Upgrade", "websocket")) && is_asked(&request("keep-alive, upgrade", "h2c, WebSocket"))
        );
        assert!(!is_asked(&request("keep-alive", "websocket")) && !is_asked(&request("upgrade", "h2c")));
        let mut other = request("upgrade", "websocket");
        *other.method_mut() = Method::POST;
        assert!(!is_asked(&other));
        let mut old = request("upgrade", "websocket");
        *old.version_mut() = Version::HTTP_10;
        assert!(!is_asked(&old));
        assert!(!is_asked(&request("upgrade", "websocket").map(|_| Full::new(Bytes::from_static(b"body")))));
    }

    #[test]
    fn the_answer_has_the_headers_of_the_app_except_those_of_a_body() {
        let mut headers = HeaderMap::new();
        headers.insert("content-length", HeaderValue::from_static("0"));
        headers.insert("sec-websocket-accept", HeaderValue::from_static("abc="));
        let text = String::from_utf8(answer(&headers)).expect("text");
        let expected = "upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: abc=\r\n\r\n";
        assert_eq!(text.split_once("\r\n").expect("two lines"), ("HTTP/1.1 101 Switching Protocols", expected));
    }
}
