//! Compresses answers of the servers behind the gateway.
//!
//! The size of a compressed answer reveals how much the answer has in common with text that an attacker chose (BREACH).
//! Only the servers behind the gateway know which answers contain no secret, so only answers with their label are
//! compressed.

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap,
    HeaderName, HeaderValue, SET_COOKIE, VARY,
};
use http::{Method, Response, StatusCode};
use tokio::task::spawn_blocking;

use super::answer::AnswerBody;
use super::request_head::one;
use super::serving::Serving;
use crate::coding::Coding;

/// The label of an answer that contains no secret. Clients never see it.
pub const LABEL: HeaderName = HeaderName::from_static("x-fechatter-compressible");
/// Smaller answers fit into one packet anyway.
const MIN_BYTES: usize = 1 << 10;
/// Larger answers pass unchanged, so that the memory for each is bounded.
const MAX_BYTES: usize = 1 << 20;
/// Maximum size of an answer that the gateway's thread compresses itself, in 28 to 123 µs
/// (`benches/results/2026-11-28-compression.md`).
const SMALL_BYTES: usize = 8 << 10;
/// Maximum number of answers that wait for the compressing thread or are being compressed there. Further answers pass
/// unchanged.
const MAX_AT_ONCE: usize = 32;
/// An answer with one of these headers passes unchanged.
const UNSUITABLE: [HeaderName; 4] = [CONTENT_ENCODING, CONTENT_RANGE, ETAG, SET_COOKIE];

/// Returns the coding that the head of a request permits for the answer.
#[must_use]
pub fn permitted(method: &Method, headers: &HeaderMap) -> Option<Coding> {
    let accepted = one(headers, &ACCEPT_ENCODING)?.to_str().ok()?;
    if *method == Method::HEAD { None } else { Coding::choose(accepted) }
}

/// Compresses an answer that has the label, if it is suitable.
pub async fn compress(
    serving: &Serving,
    response: Response<AnswerBody>,
    permitted: Option<Coding>,
) -> Response<AnswerBody> {
    let (mut head, mut body) = response.into_parts();
    let Some(length) = suitable_length(head.status, &head.headers) else {
        return Response::from_parts(head, body);
    };
    head.headers.append(VARY, HeaderValue::from_static("accept-encoding"));
    let Some(coding) = permitted.filter(|_| length <= SMALL_BYTES || serving.compressing.get() < MAX_AT_ONCE) else {
        return Response::from_parts(head, body);
    };
    let Ok(content) = body.read().await else {
        // The rest of the body is shorter than announced, so the client notices that the upstream broke off.
        return Response::from_parts(head, body);
    };
    let packed = packed(serving, coding, content.clone()).await.filter(|packed| packed.len() < content.len());
    if packed.is_some() {
        head.headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    }
    let content = packed.map_or(content, Bytes::from);
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(content.len()));
    Response::from_parts(head, body.replaced(content))
}

/// Returns the length of an answer if its status and its headers are suitable.
fn suitable_length(status: StatusCode, headers: &HeaderMap) -> Option<usize> {
    let is_text = headers.get(CONTENT_TYPE).is_some_and(|kind| is_text(kind.as_bytes()));
    let is_fixed = headers.get(CACHE_CONTROL).is_some_and(|value| contains(value.as_bytes(), b"no-transform"));
    if status != StatusCode::OK || !is_text || is_fixed || UNSUITABLE.iter().any(|name| headers.contains_key(name)) {
        return None;
    }
    let length = headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()?;
    (MIN_BYTES..=MAX_BYTES).contains(&length).then_some(length)
}

fn contains(value: &[u8], word: &[u8]) -> bool {
    value.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
}

/// Whether the media type is JSON or another text, but not a stream: the events of a stream must not wait.
fn is_text(kind: &[u8]) -> bool {
    let name = kind.split(|byte| *byte == b';').next().unwrap_or(kind).trim_ascii().to_ascii_lowercase();
    let is_json = name == b"application/json" || name.ends_with(b"+json");
    is_json || (name.starts_with(b"text/") && name != b"text/event-stream")
}

async fn packed(serving: &Serving, coding: Coding, content: Bytes) -> Option<Vec<u8>> {
    if content.len() <= SMALL_BYTES {
        return coding.compress(&content).ok();
    }
    let _one = Compressing::begin(serving);
    spawn_blocking(move || coding.compress(&content)).await.ok()?.ok()
}

/// Counts an answer that the compressing thread has, until it is dropped.
struct Compressing<'a>(&'a Serving);

impl<'a> Compressing<'a> {
    fn begin(serving: &'a Serving) -> Self {
        serving.compressing.set(serving.compressing.get() + 1);
        Self(serving)
    }
}

impl Drop for Compressing<'_> {
    fn drop(&mut self) {
        self.0.compressing.set(self.0.compressing.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(HeaderName, &'static str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    fn length(change: &[(HeaderName, &'static str)]) -> Option<usize> {
        let mut all = headers(&[(CONTENT_TYPE, "application/json"), (CONTENT_LENGTH, "2000")]);
        for (name, value) in change {
            all.insert(name, HeaderValue::from_static(value));
        }
        suitable_length(StatusCode::OK, &all)
    }

    #[test]
    fn only_texts_of_a_suitable_size_are_compressed() {
        assert_eq!(length(&[]), Some(2000));
        assert_eq!(length(&[(CONTENT_TYPE, "text/plain; charset=utf-8"), (CONTENT_LENGTH, "1024")]), Some(1024));
        assert_eq!(length(&[(CONTENT_TYPE, "application/problem+json")]), Some(2000));
        for change in [
            (CONTENT_TYPE, "text/event-stream; charset=utf-8"),
            (CONTENT_TYPE, "image/png"),
            (CONTENT_TYPE, "application/octet-stream"),
            (CONTENT_LENGTH, "1023"),
            (CONTENT_LENGTH, "1048577"),
            (CONTENT_LENGTH, "a"),
            (CONTENT_ENCODING, "gzip"),
            (CONTENT_RANGE, "bytes 0-1/2"),
            (SET_COOKIE, "a=b"),
            (ETAG, "\"a\""),
            (CACHE_CONTROL, "no-store, No-Transform"),
        ] {
            assert_eq!(length(std::slice::from_ref(&change)), None, "{change:?}");
        }
        let mut without_length = headers(&[(CONTENT_TYPE, "application/json"), (CONTENT_LENGTH, "2000")]);
        assert_eq!(suitable_length(StatusCode::NOT_FOUND, &without_length), None);
        without_length.remove(CONTENT_LENGTH);
        assert_eq!(suitable_length(StatusCode::OK, &without_length), None);
    }

    #[test]
    fn a_request_permits_one_coding_and_none_for_a_head() {
        let all = headers(&[(ACCEPT_ENCODING, "gzip, zstd")]);
        assert_eq!(permitted(&Method::GET, &all), Some(Coding::Zstd));
        assert_eq!(permitted(&Method::HEAD, &all), None);
        assert_eq!(permitted(&Method::GET, &HeaderMap::new()), None);
        let repeated = headers(&[(ACCEPT_ENCODING, "gzip"), (ACCEPT_ENCODING, "zstd")]);
        assert_eq!(repeated.get_all(ACCEPT_ENCODING).iter().count(), 2);
        assert_eq!(permitted(&Method::GET, &repeated), None);
    }
}
