//! Stores messages without the interpreter: `POST /api/chat/{chat_id}/messages`, and `…/batch` for several at once.
//!
//! Only usual requests are served here. All other requests go to the server behind the gateway, for example malformed
//! requests, requests without a valid token, and requests beyond a quota. So only that server needs to know how to
//! refuse them.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::sync::oneshot;

use super::answered::Answered;
use super::config::Limits;
use super::counters::Counters;
use super::held_bodies::HeldBodies;
use super::refusal::Refusal;
use super::send_head::{Kind, SendHead, read_body, read_head};
use super::send_many::{BatchLimits, Work, collect, join};
use super::send_quota::{QuotaHeaders, take};
use crate::at_once::Turn;
use crate::batch::Origin;
use crate::intake::AcceptMessages;
use crate::message::{parse_batch, parse_message};
use crate::panics;
use crate::pending::{Answer, PendingAnswer};
use crate::quota::Quota;
use crate::token::Tokens;

/// The routes of sends in the metrics.
const ONE: &str = "/api/chat/{chat_id}/messages";
const MANY: &str = "/api/chat/{chat_id}/messages/batch";
const KIB: f64 = 1024.0;

/// What the gateway needs to store messages.
pub struct Sends {
    /// Verifies access tokens.
    pub tokens: Arc<Tokens>,
    /// Counts messages of one person; `None` if they are not limited.
    pub quota: Option<Arc<Quota>>,
    /// The limits of batches.
    pub batches: BatchLimits,
    /// The work of a batch.
    pub work: Work,
    /// Receives messages.
    pub intake: Arc<dyn AcceptMessages>,
    /// Counts the bodies that are not complete.
    pub bodies: HeldBodies,
}

/// A usual request.
#[derive(Debug)]
pub struct Usual {
    head: SendHead,
    turn: Option<Turn>,
}

/// The outcome of a request.
#[derive(Debug)]
pub enum Outcome {
    /// The writer has answered.
    Answered(Response<Bytes>),
    /// The gateway refuses the request.
    Refused(Refusal),
    /// The request is unusual. This is its body.
    Unusual(Bytes),
}

/// A request whose messages are in the intake.
struct Accepted {
    waiting: Waiting,
    quota: QuotaHeaders,
}

enum Waiting {
    One(oneshot::Receiver<Answer>),
    Many(oneshot::Receiver<Vec<Answer>>),
}

impl fmt::Debug for Sends {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Sends").finish_non_exhaustive()
    }
}

impl Usual {
    /// Its route in the metrics and the log.
    #[must_use]
    pub fn route(&self) -> &'static str {
        route(self.head.kind)
    }

    /// The ids of the person and of the workspace.
    #[must_use]
    pub fn who(&self) -> (i64, i64) {
        (self.head.claims.user_id, self.head.claims.workspace_id)
    }
}

impl Sends {
    /// Reads the head of a request. `None` if it is not a usual send.
    #[must_use]
    pub fn read_head(&self, request: &Request<Incoming>) -> Option<Usual> {
        let head = read_head(request, &self.tokens)?;
        let turn = match head.kind {
            Kind::One => None,
            Kind::Many => self.batches.begin(head.claims.user_id)?,
        };
        Some(Usual { head, turn })
    }

    /// Reads the body, and answers when the messages are stored or refused.
    pub async fn serve(
        &self,
        usual: Usual,
        body: Incoming,
        request_id: &HeaderValue,
        limits: &Limits,
        counters: &Counters,
    ) -> Outcome {
        let Usual { head, turn } = usual;
        let body = match read_body(body, &head, limits, &self.bodies).await {
            Ok(body) => body,
            Err(refusal) => return Outcome::Refused(refusal),
        };
        let began = Instant::now();
        let request_id = String::from_utf8_lossy(request_id.as_bytes()).into();
        let accepted = match head.kind {
            Kind::One => self.accept(&head, &body, request_id),
            Kind::Many => self.accept_many(&head, &body, &request_id, turn),
        };
        let Some(Accepted { waiting, quota }) = accepted else {
            return Outcome::Unusual(body);
        };
        let Ok(answer) = self.wait(&head, waiting).await else { return Outcome::Refused(Refusal::NotStored) };
        panics::point("gateway_answer");
        count(&mut counters.answered(), &head, &answer, began.elapsed());
        Outcome::Answered(response(answer, quota))
    }

    /// Appends the message to the intake. `None` if the message is invalid, is beyond the quota or does not fit.
    fn accept(&self, head: &SendHead, body: &[u8], request_id: Arc<str>) -> Option<Accepted> {
        let message = parse_message(body, head.key.as_deref(), self.intake.extras_allowed()).ok()?;
        let quota = take(self.quota.as_deref(), head.claims.user_id)?;
        let (sender, receiver) = oneshot::channel();
        let pending = PendingAnswer::new(request_id, |answer| {
            // Nobody receives it if the client has left.
            let _ = sender.send(answer);
        });
        self.intake.accept(origin(head), &message, pending).ok()?;
        panics::point("gateway_append");
        Some(Accepted { waiting: Waiting::One(receiver), quota })
    }

    /// Like `accept`, for all messages of a batch. `None` also if one of them is invalid.
    fn accept_many(&self, head: &SendHead, body: &[u8], request_id: &Arc<str>, turn: Option<Turn>) -> Option<Accepted> {
        let parsed = parse_batch(body, self.intake.extras_allowed()).ok()?;
        let messages: Vec<_> = parsed.into_iter().collect::<Result<_, _>>().ok()?;
        let (person, length) = (head.claims.user_id, messages.len());
        let quota = self.batches.count(person, length, self.quota.as_deref())?;
        let (pending, receiver) = collect(messages, request_id, turn);
        self.intake.accept_all(origin(head), pending).ok()?;
        let Work { request, message, kib } = self.work;
        self.batches.work(person, request + float(length) * message + float(body.len()) / KIB * kib);
        Some(Accepted { waiting: Waiting::Many(receiver), quota })
    }

    async fn wait(&self, head: &SendHead, waiting: Waiting) -> Result<Answer, oneshot::error::RecvError> {
        match waiting {
            Waiting::One(receiver) => receiver.await,
            Waiting::Many(receiver) => {
                let answer = join(&receiver.await?);
                self.batches.work(head.claims.user_id, float(answer.body.len()) / KIB * self.work.kib);
                Ok(answer)
            }
        }
    }
}

fn route(kind: Kind) -> &'static str {
    if kind == Kind::One { ONE } else { MANY }
}

fn origin(head: &SendHead) -> Origin {
    let (sender_id, session_id) = (head.claims.user_id, head.claims.session_id);
    Origin { chat_id: head.chat_id, thread_id: 0, sender_id, session_id }
}

fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn count(answered: &mut Answered, head: &SendHead, answer: &Answer, passed: Duration) {
    answered.count(route(head.kind), "POST", answer.status, passed);
    answered.note(head.claims.user_id);
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
    headers.extend(quota);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
    response
}
