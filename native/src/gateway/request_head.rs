//! Reads parts of the heads of usual requests, which the gateway answers itself. An unusual request goes to the app.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::token::{Claims, MAX_ID, Tokens};

const MAX_DIGITS: usize = 16;
/// A request with one of these headers is unusual.
const UNUSUAL: [HeaderName; 5] =
    [header::CONTENT_ENCODING, header::EXPECT, header::TE, header::TRANSFER_ENCODING, header::UPGRADE];

/// Whether a header makes a request unusual.
#[must_use]
pub fn is_unusual(headers: &HeaderMap) -> bool {
    UNUSUAL.iter().any(|name| headers.contains_key(name))
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
