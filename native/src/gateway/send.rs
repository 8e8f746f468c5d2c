//! Stores messages without the interpreter: `POST /api/chat/{chat_id}/messages`.
//!
//! Only usual requests are served here. Every other request goes to the server behind the gateway: a malformed one, one
//! without a valid token, one beyond its quota. So only that server knows how to refuse them.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::sync::oneshot;
use tokio::time::{self, timeout_at};

use super::answered::Answered;
use super::config::Limits;
use super::counters::Counters;
use super::refusal::Refusal;
use crate::batch::Origin;
use crate::intake::AcceptMessages;
use crate::message::parse_message;
use crate::pending::{Answer, PendingAnswer};
use crate::quota::{self, Key, Quota, monotonic_seconds};
use crate::token::{Claims, MAX_ID, Tokens};

/// The route of a send in the metrics.
const ROUTE: &str = "/api/chat/{chat_id}/messages";
/// Maximum size of a message's body.
const MESSAGE_BYTES: usize = 64 << 10;
const MAX_CHAT_DIGITS: usize = 16;
const POLICY: HeaderName = HeaderName::from_static(quota::POLICY_HEADER);
const REMAINING: HeaderName = HeaderName::from_static(quota::REMAINING_HEADER);
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// A request with one of these headers is unusual.
const UNUSUAL: [HeaderName; 5] =
    [header::CONTENT_ENCODING, header::EXPECT, header::TE, header::TRANSFER_ENCODING, header::UPGRADE];

/// What the gateway needs to store messages.
pub struct Sends {
    /// Verifies access tokens.
    pub tokens: Arc<Tokens>,
    /// Counts messages of one person; `None` if they are not limited.
    pub quota: Option<Arc<Quota>>,
    /// Receives messages.
    pub intake: Arc<dyn AcceptMessages>,
    /// Whether pages of other sites may send messages. The server behind the gateway checks their origin.
    pub cors: bool,
}

/// The head of a usual request.
#[derive(Debug)]
pub struct SendHead {
    chat_id: i64,
    claims: Claims,
    key: Option<String>,
    length: usize,
}

/// What became of a request.
#[derive(Debug)]
pub enum Outcome {
    /// The writer has answered.
    Answered(Response<Bytes>),
    /// The gateway refuses the request.
    Refused(Refusal),
    /// The request is unusual. This is its body.
    Unusual(Bytes),
}

impl fmt::Debug for Sends {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Sends").finish_non_exhaustive()
    }
}

impl Sends {
    /// Reads the head of a request. `None` if it is not a usual send.
    #[must_use]
    pub fn read_head(&self, request: &Request<Incoming>) -> Option<SendHead> {
        if request.method() != Method::POST {
            return None;
        }
        let chat_id = chat_of(request.uri().path())?;
        let headers = request.headers();
        let is_foreign = self.cors && headers.contains_key(header::ORIGIN);
        if is_foreign || UNUSUAL.iter().any(|name| headers.contains_key(name)) {
            return None;
        }
        let length = one(headers, &header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()?;
        let is_json = one(headers, &header::CONTENT_TYPE)?.as_bytes() == b"application/json";
        if !is_json || length > MESSAGE_BYTES {
            return None;
        }
        let key = read_key(headers).ok()?;
        let token = one(headers, &header::AUTHORIZATION)?.as_bytes().strip_prefix(b"Bearer ")?;
        Some(SendHead { chat_id, claims: self.tokens.verify(token)?, key, length })
    }

    /// Reads the body, and answers when the message is stored or refused.
    pub async fn serve(
        &self,
        head: SendHead,
        body: Incoming,
        request_id: &HeaderValue,
        limits: &Limits,
        counters: &Counters,
    ) -> Outcome {
        let body = match read_body(body, head.length, limits).await {
            Ok(body) => body,
            Err(refusal) => return Outcome::Refused(refusal),
        };
        let began = Instant::now();
        let Some((receiver, quota)) = self.accept(&head, &body, request_id) else {
            return Outcome::Unusual(body);
        };
        let Ok(answer) = receiver.await else { return Outcome::Refused(Refusal::NotStored) };
        count(&mut counters.answered(), head.claims.user_id, &answer, began.elapsed());
        Outcome::Answered(response(answer, quota))
    }

    /// Appends the message to the intake. `None` if it is invalid, beyond the quota or does not fit.
    fn accept(&self, head: &SendHead, body: &[u8], request_id: &HeaderValue) -> Option<(Waiting, QuotaHeaders)> {
        let message = parse_message(body, head.key.as_deref(), self.intake.extras_allowed()).ok()?;
        let quota = self.take_quota(head.claims.user_id)?;
        let (sender, receiver) = oneshot::channel();
        let request_id = String::from_utf8_lossy(request_id.as_bytes()).into_owned();
        let pending = PendingAnswer::new(request_id, |answer| {
            // Nobody receives it if the client has left.
            let _ = sender.send(answer);
        });
        let Claims { user_id: sender_id, session_id, .. } = head.claims;
        let origin = Origin { chat_id: head.chat_id, thread_id: 0, sender_id, session_id };
        self.intake.accept(origin, &message, pending).ok()?;
        Some((receiver, quota))
    }

    /// Counts a message. Returns the headers with the remaining quota; the outer `None` means that it is exhausted.
    fn take_quota(&self, person: i64) -> Option<QuotaHeaders> {
        let Some(quota) = &self.quota else { return Some(None) };
        let remaining = quota.take(Key::Number(person), monotonic_seconds()).ok()?;
        let policy = HeaderValue::from_str(quota.policy()).ok()?;
        Some(Some([(POLICY, policy), (REMAINING, HeaderValue::try_from(remaining).ok()?)]))
    }
}

/// A header of this request is unusual.
#[derive(Debug, PartialEq)]
struct Unusual;

type Waiting = oneshot::Receiver<Answer>;
type QuotaHeaders = Option<[(HeaderName, HeaderValue); 2]>;

/// Returns the chat in the path of a send.
fn chat_of(path: &str) -> Option<i64> {
    let digits = path.strip_prefix("/api/chat/")?.strip_suffix("/messages")?;
    let is_number = (1..=MAX_CHAT_DIGITS).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten().filter(|id| *id <= MAX_ID)
}

/// Returns the value of a header that occurs exactly once.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// Returns the idempotency key, if there is one.
fn read_key(headers: &HeaderMap) -> Result<Option<String>, Unusual> {
    if !headers.contains_key(IDEMPOTENCY_KEY) {
        return Ok(None);
    }
    let key = one(headers, &IDEMPOTENCY_KEY).ok_or(Unusual)?;
    key.to_str().map(|key| Some(key.to_owned())).map_err(|_| Unusual)
}

/// Reads a body of `length` bytes. The first part usually is all of it, and then it is not copied.
async fn read_body(mut incoming: Incoming, length: usize, limits: &Limits) -> Result<Bytes, Refusal> {
    let last = time::Instant::now() + limits.body_seconds;
    let mut parts = BytesMut::new();
    while let Some(part) = next_part(&mut incoming, last, limits).await? {
        if parts.is_empty() && part.len() == length {
            return Ok(part);
        }
        parts.extend_from_slice(&part);
        if parts.len() > MESSAGE_BYTES {
            return Err(Refusal::BodyTooLarge(MESSAGE_BYTES as u64));
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

fn count(answered: &mut Answered, person: i64, answer: &Answer, passed: Duration) {
    answered.count(ROUTE, "POST", answer.status, passed);
    answered.note(person);
    if let Some(code) = &answer.code {
        answered.refused(code);
    }
}

fn response(answer: Answer, quota: QuotaHeaders) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if answer.code.is_none() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    headers.extend(quota.into_iter().flatten());
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_path_of_a_send_has_a_chat() {
        assert_eq!(chat_of("/api/chat/17/messages"), Some(17));
        assert_eq!(chat_of("/api/chat/9007199254740991/messages"), Some(MAX_ID));
        for other in ["9007199254740992", "", "-1", "+1", "1/2", "%31", "1 ", "12345678901234567"] {
            assert_eq!(chat_of(&format!("/api/chat/{other}/messages")), None, "{other}");
        }
        for path in
            ["/api/chat/1/messages/", "/api/chat/1/messages/batch", "/api/chat//messages", "/API/chat/1/messages"]
        {
            assert_eq!(chat_of(path), None, "{path}");
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
