//! Recognises usual sends by their heads, and receives their bodies.

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderName};
use http::{Method, Request};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::{self, timeout_at};

use super::config::Limits;
use super::held_bodies::HeldBodies;
use super::refusal::Refusal;
use super::request_head::{claims, is_unusual, one, read_id};
use crate::token::{Claims, Tokens};

/// Maximum size of the body of a message, and of a usual batch. Larger batches are rare and take a long time to parse.
const BODY_BYTES: usize = 64 << 10;
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The content of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One message.
    One,
    /// A list of messages.
    Many,
}

/// The head of a usual request.
#[derive(Debug)]
pub struct SendHead {
    /// What the request sends.
    pub kind: Kind,
    /// The chat in the path.
    pub chat_id: i64,
    /// The sender.
    pub claims: Claims,
    /// The idempotency key in the headers.
    pub key: Option<String>,
    length: usize,
}

/// Reads the head of a request. `None` if it is not a usual send.
#[must_use]
pub fn read_head<B>(request: &Request<B>, tokens: &Tokens) -> Option<SendHead> {
    if request.method() != Method::POST {
        return None;
    }
    let (chat_id, kind) = destination(request.uri().path())?;
    let headers = request.headers();
    if is_unusual(headers, request.version()) {
        return None;
    }
    let length = one(headers, &header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()?;
    let is_json = one(headers, &header::CONTENT_TYPE)?.as_bytes() == b"application/json";
    if !is_json || length > BODY_BYTES {
        return None;
    }
    let key = read_key(headers).ok()?;
    Some(SendHead { kind, chat_id, claims: claims(headers, tokens)?, key, length })
}

/// A header of this request is unusual.
#[derive(Debug, PartialEq)]
struct Unusual;

/// Returns the chat in the path of a send, and the kind of request that the path accepts.
fn destination(path: &str) -> Option<(i64, Kind)> {
    let rest = path.strip_prefix("/api/chat/")?;
    let (digits, kind) = match rest.strip_suffix("/messages") {
        Some(digits) => (digits, Kind::One),
        None => (rest.strip_suffix("/messages/batch")?, Kind::Many),
    };
    Some((read_id(digits)?, kind))
}

/// Returns the idempotency key, if there is one.
fn read_key(headers: &HeaderMap) -> Result<Option<String>, Unusual> {
    if !headers.contains_key(IDEMPOTENCY_KEY) {
        return Ok(None);
    }
    let key = one(headers, &IDEMPOTENCY_KEY).ok_or(Unusual)?;
    key.to_str().map(|key| Some(key.to_owned())).map_err(|_| Unusual)
}

/// Reads the body of a usual send. Usually the first part is the whole body, and then it is not copied.
///
/// # Errors
/// [`Refusal`]: the body is late, incomplete or too large, or too many bodies are incomplete.
pub async fn read_body(
    mut incoming: Incoming,
    head: &SendHead,
    limits: &Limits,
    bodies: &HeldBodies,
) -> Result<Bytes, Refusal> {
    let last = time::Instant::now() + limits.body_seconds;
    let (mut parts, mut counted) = (BytesMut::new(), bodies.begin(head.claims.user_id));
    while let Some(part) = next_part(&mut incoming, last, limits).await? {
        if parts.is_empty() && part.len() == head.length {
            return Ok(part);
        }
        counted.grow(part.len())?;
        parts.extend_from_slice(&part);
        if parts.len() > BODY_BYTES {
            return Err(Refusal::BodyTooLarge(BODY_BYTES as u64));
        }
    }
    Ok(parts.freeze())
}

async fn next_part(incoming: &mut Incoming, last: time::Instant, limits: &Limits) -> Result<Option<Bytes>, Refusal> {
    let deadline = last.min(time::Instant::now() + limits.body_part_seconds);
    let next = timeout_at(deadline, incoming.frame()).await.map_err(|_| Refusal::BodyTimeout)?;
    let frame = next.transpose().map_err(|_| Refusal::IncompleteBody)?;
    // Trailers have no meaning here.
    Ok(frame.map(|frame| frame.into_data().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::token::MAX_ID;

    #[test]
    fn only_the_path_of_a_send_has_a_destination() {
        assert_eq!(destination("/api/chat/17/messages"), Some((17, Kind::One)));
        assert_eq!(destination("/api/chat/17/messages/batch"), Some((17, Kind::Many)));
        assert_eq!(destination("/api/chat/9007199254740991/messages"), Some((MAX_ID, Kind::One)));
        for other in ["9007199254740992", "", "-1", "+1", "1/2", "%31", "1 ", "12345678901234567"] {
            for end in ["messages", "messages/batch"] {
                assert_eq!(destination(&format!("/api/chat/{other}/{end}")), None, "{other}");
            }
        }
        for path in [
            "/api/chat/1/messages/",
            "/api/chat/1/messages/batch/",
            "/api/chat/1/messages/messages",
            "/api/chat/1/messages/batches",
            "/api/chat//messages",
            "/API/chat/1/messages",
        ] {
            assert_eq!(destination(path), None, "{path}");
        }
    }

    #[test]
    fn a_repeated_header_is_unusual() {
        let mut headers = HeaderMap::new();
        assert_eq!(read_key(&headers), Ok(None));
        headers.append(IDEMPOTENCY_KEY, HeaderValue::from_static("a"));
        assert_eq!(read_key(&headers), Ok(Some("a".to_owned())));
        headers.append(IDEMPOTENCY_KEY, HeaderValue::from_static("a"));
        assert_eq!(read_key(&headers), Err(Unusual));
    }
}
