//! Reads parts of the heads of usual requests, which the gateway answers itself. An unusual request goes to the app.

use http::Version;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::token::{Claims, MAX_ID, Tokens};

const MAX_DIGITS: usize = 16;
/// A request with one of these headers is unusual.
const UNUSUAL: [HeaderName; 5] =
    [header::CONTENT_ENCODING, header::EXPECT, header::TE, header::TRANSFER_ENCODING, header::UPGRADE];

/// Whether a header or the host makes a request unusual.
#[must_use]
pub fn is_unusual(headers: &HeaderMap, version: Version) -> bool {
    let names_others = |value: &HeaderValue| {
        let mut names = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        !names.all(|name| name.eq_ignore_ascii_case(b"close") || name.eq_ignore_ascii_case(b"keep-alive"))
    };
    UNUSUAL.iter().any(|name| headers.contains_key(name))
        // The app does not receive the headers that `Connection` names.
        || headers.get_all(header::CONNECTION).iter().any(names_others)
        || !has_host(headers, version)
}

/// Whether the host is named once: by a header of HTTP/1.1, or in the URL of HTTP/2.
fn has_host(headers: &HeaderMap, version: Version) -> bool {
    match version {
        Version::HTTP_11 => one(headers, &header::HOST).is_some_and(|host| !host.is_empty()),
        Version::HTTP_2 => !headers.contains_key(header::HOST),
        _ => false,
    }
}

/// Returns the value of a header that occurs exactly once.
#[must_use]
pub fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// Returns the only access token of a request.
#[must_use]
pub fn token(headers: &HeaderMap) -> Option<&[u8]> {
    one(headers, &header::AUTHORIZATION)?.as_bytes().strip_prefix(b"Bearer ")
}

/// Returns the claims of a request with exactly one token, if the token is valid.
#[must_use]
pub fn claims(headers: &HeaderMap, tokens: &Tokens) -> Option<Claims> {
    tokens.verify(token(headers)?)
}

/// Reads an id in a path.
#[must_use]
pub fn read_id(digits: &str) -> Option<i64> {
    let is_number = (1..=MAX_DIGITS).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten().filter(|id| *id <= MAX_ID)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unusual(version: Version, lines: &[(HeaderName, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name, HeaderValue::from_static(value));
        }
        is_unusual(&headers, version)
    }

    #[test]
    fn headers_of_the_connection_are_recognized() {
        let host = (header::HOST, "a");
        assert!(!unusual(Version::HTTP_11, &[host.clone(), (header::CONNECTION, "Keep-Alive, close")]));
        for value in ["authorization", "close, idempotency-key", "", "keep-alive,"] {
            assert!(unusual(Version::HTTP_11, &[host.clone(), (header::CONNECTION, value)]), "{value}");
        }
    }

    #[test]
    fn unusual_hosts_are_recognized() {
        let host = (header::HOST, "a");
        for lines in [&[][..], &[(header::HOST, "")], &[host.clone(), host.clone()]] {
            assert!(unusual(Version::HTTP_11, lines));
        }
        assert!(!unusual(Version::HTTP_2, &[]));
        assert!(unusual(Version::HTTP_2, std::slice::from_ref(&host)) && unusual(Version::HTTP_10, &[host]));
    }
}
