//! The answers of the gateway itself, instead of an answer from a server behind it.

use std::fmt::Write as _;

use bytes::Bytes;
use http::header::{CONNECTION, HeaderValue};
use http::{HeaderMap, HeaderName, Response, StatusCode};

use crate::headers::{CONTENT_POLICY, security};
use crate::problem::{Problem, Titles};

/// Why the gateway refuses a request or a connection. `fechatter/codes.py` describes each code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The head is not HTTP, or its framing is ambiguous.
    MalformedHead,
    /// The `Host` header is missing or repeated.
    MalformedHost,
    /// The body is malformed or ended too early.
    IncompleteBody,
    /// The head did not arrive in time.
    HeadTimeout,
    /// The body did not arrive in time.
    BodyTimeout,
    /// The body has more bytes than this.
    BodyTooLarge(u64),
    /// The request target is too long.
    UriTooLong,
    /// The head has too many bytes or headers.
    HeadTooLarge,
    /// The client's address has too many connections.
    TooManyFromAddress,
    /// The client's address has too many requests in progress.
    TooManyAtOnce,
    /// The server has too many connections.
    TooManyConnections,
    /// No upstream serves the path, or the request is denied.
    NotFound,
    /// The access token is invalid.
    Unauthorized,
    /// No server behind the gateway answers.
    UpstreamUnavailable,
    /// Too much memory is in use for bodies that are not complete.
    BodiesFull,
    /// The writer ended before the message was stored.
    NotStored,
}

/// The parts of an answer: status, code and detail.
type Words = (u16, &'static str, &'static str);

const RETRY_SECONDS: u64 = 1;

/// The settings that apply to every answer of the gateway.
#[derive(Debug, Clone, Copy)]
pub struct Style<'a> {
    /// The title of each status.
    pub titles: &'a Titles,
    /// Whether people reach the server over HTTPS.
    pub https_only: bool,
}

/// Adds the headers of every answer.
pub fn add_headers(headers: &mut HeaderMap, request_id: &HeaderValue, https_only: bool) {
    for (name, value) in security(https_only, headers.contains_key(CONTENT_POLICY)) {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.insert(super::proxy::REQUEST_ID, request_id.clone());
}

impl Refusal {
    fn words(self) -> Words {
        match self {
            Self::MalformedHead => (400, "malformed_head", "The head of the request is malformed."),
            Self::MalformedHost => (400, "malformed_host", "A request needs exactly one Host header."),
            Self::IncompleteBody => (400, "incomplete_body", "The body is incomplete."),
            Self::HeadTimeout => (408, "head_timeout", "The head did not arrive in time."),
            Self::BodyTimeout => (408, "body_timeout", "The body did not arrive in time"),
            Self::BodyTooLarge(_) => (413, "body_too_large", "The body is too large."),
            Self::UriTooLong => (414, "uri_too_long", "The URL is too long."),
            Self::HeadTooLarge => (431, "head_too_large", "The head has too many bytes or headers."),
            Self::TooManyFromAddress => (429, "too_many_from_address", "This address has too many connections."),
            Self::TooManyAtOnce => (429, "too_many_at_once", "Too many requests from this address are in progress."),
            Self::TooManyConnections => (503, "too_many_connections", "The server has too many connections."),
            Self::NotStored => (503, "not_stored", "The message could not be stored. Send it again."),
            Self::BodiesFull => (503, "batches_full", "The server is receiving too many request bodies."),
            Self::NotFound => (404, "not_found", "There is no such object, or you cannot see it."),
            Self::Unauthorized => (401, "unauthorized", "The access token is missing, invalid or expired."),
            Self::UpstreamUnavailable => (503, "upstream_unavailable", "The server does not answer."),
        }
    }

    /// Returns the status of the answer.
    #[must_use]
    pub fn status(self) -> u16 {
        self.words().0
    }

    /// The stable code of the answer.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.words().1
    }

    /// Returns the answer. `closes`: the connection ends after it.
    #[must_use]
    pub fn response(self, request_id: &HeaderValue, style: Style<'_>, closes: bool) -> Response<Bytes> {
        let (status, code, detail) = self.words();
        let members =
            if let Self::BodyTooLarge(limit) = self { format!("\"limit_bytes\":{limit}") } else { String::new() };
        let problem = Problem {
            status,
            title: style.titles.get(status),
            code,
            detail,
            members: members.as_bytes(),
            retry_after_seconds: matches!(status, 429 | 503).then_some(RETRY_SECONDS),
            ..Problem::default()
        };
        let mut response = Response::new(Bytes::from(problem.body(request_id.to_str().unwrap_or_default())));
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        for (name, value) in problem.headers() {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        add_headers(headers, request_id, style.https_only);
        if closes {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    /// Returns the answer as the bytes of HTTP/1.1, for a connection without a complete request.
    #[must_use]
    pub fn bytes(self, request_id: &HeaderValue, style: Style<'_>) -> Bytes {
        let (head, body) = self.response(request_id, style, true).into_parts();
        let reason = head.status.canonical_reason().unwrap_or_default();
        let mut text = format!("HTTP/1.1 {} {reason}\r\ncontent-length: {}\r\n", head.status.as_u16(), body.len());
        for (name, value) in &head.headers {
            let _ = write!(text, "{name}: {}\r\n", value.to_str().unwrap_or_default());
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&body);
        Bytes::from(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(titles: &Titles, https_only: bool) -> Style<'_> {
        Style { titles, https_only }
    }

    const ALL: [Refusal; 15] = [
        Refusal::NotFound,
        Refusal::Unauthorized,
        Refusal::MalformedHead,
        Refusal::MalformedHost,
        Refusal::IncompleteBody,
        Refusal::HeadTimeout,
        Refusal::BodyTimeout,
        Refusal::BodyTooLarge(8),
        Refusal::UriTooLong,
        Refusal::HeadTooLarge,
        Refusal::TooManyFromAddress,
        Refusal::TooManyAtOnce,
        Refusal::TooManyConnections,
        Refusal::UpstreamUnavailable,
        Refusal::NotStored,
    ];

    #[test]
    fn every_answer_is_a_complete_problem() {
        let titles: Titles = serde_json::from_str(r#"{"404": "Not found"}"#).expect("an object with statuses");
        let id = HeaderValue::from_static("0123456789abcdef");
        for refusal in ALL {
            let response = refusal.response(&id, style(&titles, false), false);
            let body: serde_json::Value = serde_json::from_slice(response.body()).expect("the body is JSON");
            assert_eq!(body["status"], response.status().as_u16());
            assert_eq!(body["code"], refusal.code());
            assert_eq!(body["request_id"], "0123456789abcdef");
            let retry = response.headers().contains_key(http::header::RETRY_AFTER);
            assert_eq!(retry, matches!(response.status().as_u16(), 429 | 503));
        }
    }

    #[test]
    fn the_bytes_are_one_answer_that_closes_the_connection() {
        let bytes = Refusal::HeadTimeout.bytes(&HeaderValue::from_static("a"), style(&Titles::default(), true));
        let text = std::str::from_utf8(&bytes).expect("the answer is text");
        let (head, body) = text.split_once("\r\n\r\n").expect("the head ends");
        assert!(head.starts_with("HTTP/1.1 408 Request Timeout\r\n"));
        assert!(head.contains(&format!("content-length: {}", body.len())));
        assert!(head.contains("connection: close") && head.contains("strict-transport-security"));
    }
}
