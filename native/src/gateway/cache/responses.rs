//! Answers usual requests from the cache, and stores answers of the app in it.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Request, Response, StatusCode};
use hyper::body::{Body as _, Incoming};

use super::label::{self, Label};
use super::position::Position;
use super::usual::{Asked, EVENT_CURSOR};
use super::{Answer, Begun, ResponseCache};
use crate::access_log::Line;
use crate::gateway::answer::{AnswerBody, InProgress};
use crate::gateway::client::Client;
use crate::gateway::content::Content;
use crate::gateway::proxy;
use crate::gateway::refusal::add_headers;
use crate::gateway::request_head::claims;
use crate::gateway::routes::{add_cors, log};
use crate::gateway::send_quota::take;
use crate::gateway::serving::Serving;
use crate::quota::Quota;
use crate::token::{Claims, Tokens};

/// Longer answers are not stored.
const MAX_BODY_BYTES: u64 = 1 << 20;
const JSON: &str = "application/json";
const NO_STORE: &str = "no-store";

/// What the gateway needs to answer from the cache.
pub struct Responses {
    /// The cache.
    pub cache: Arc<ResponseCache>,
    /// Verifies access tokens.
    pub tokens: Arc<Tokens>,
    /// Counts requests of one person; `None` if they are not limited.
    pub quota: Option<Arc<Quota>>,
}

impl fmt::Debug for Responses {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Responses").field("cache", &self.cache).finish_non_exhaustive()
    }
}

/// Answers a request from the cache, or forwards it.
pub async fn answer(
    serving: &Rc<Serving>,
    client: &Client,
    request: Request<Incoming>,
    in_progress: InProgress,
) -> Response<AnswerBody> {
    let known = known(serving, request.headers());
    let asked = known.and_then(|(responses, reader)| Some((responses, Asked::read(&request, reader)?)));
    let request = request.map(Content::Streaming);
    let Some((responses, asked)) = asked else {
        return forward_for(known, serving, client, request, in_progress).await.0;
    };
    if let Some(response) = responses.find(serving, client, &asked, request.headers()) {
        return response.map(|body| AnswerBody::own(body, in_progress));
    }
    let begun = responses.cache.begin(asked.reader.workspace_id);
    let (mut response, label) = forward_for(known, serving, client, request, in_progress).await;
    if let Some(label) = label {
        responses.store(&begun, &asked, label, &mut response).await;
    }
    response
}

/// Forwards a request, and notes the position that the answer shows. Returns the answer without its labels, and the
/// labels.
pub async fn forward(
    serving: &Rc<Serving>,
    client: &Client,
    request: Request<Content>,
    in_progress: InProgress,
) -> (Response<AnswerBody>, Option<Label>) {
    forward_for(known(serving, request.headers()), serving, client, request, in_progress).await
}

/// A reader with a valid token, and the cache that stores the reader's answers.
type Known<'a> = Option<(&'a Responses, Claims)>;

fn known<'a>(serving: &'a Serving, headers: &HeaderMap) -> Known<'a> {
    let responses = serving.own.responses.as_ref()?;
    Some((responses, claims(headers, &responses.tokens)?))
}

async fn forward_for(
    known: Known<'_>,
    serving: &Rc<Serving>,
    client: &Client,
    request: Request<Content>,
    in_progress: InProgress,
) -> (Response<AnswerBody>, Option<Label>) {
    let mut response = proxy::forward(serving, client, request, in_progress).await;
    let label = Label::take(response.headers_mut());
    label::remove(response.headers_mut());
    if let Some((responses, reader)) = known {
        responses.note(&reader, &response);
    }
    (response, label)
}

impl Responses {
    fn find(&self, serving: &Serving, client: &Client, asked: &Asked, headers: &HeaderMap) -> Option<Response<Bytes>> {
        let began = Instant::now();
        let found = self.cache.find(&asked.wanted(), &asked.reader, asked.seen.as_ref());
        let found = found.and_then(|found| Some((found, take(self.quota.as_deref(), asked.reader.user_id)?)));
        self.cache.count(found.is_some());
        let (found, limits) = found?;
        let mut response = Response::new(found.body);
        let sent = response.headers_mut();
        sent.insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
        sent.insert(header::CACHE_CONTROL, HeaderValue::from_static(NO_STORE));
        sent.insert(EVENT_CURSOR, found.cursor);
        sent.extend(found.headers);
        sent.extend(limits);
        let request_id = proxy::request_id(serving, headers);
        add_headers(sent, &request_id, serving.config.https_only);
        add_cors(serving, headers, sent);
        let (method, route, status, passed) = ("GET", asked.route.name(), StatusCode::OK.as_u16(), began.elapsed());
        let mut answered = serving.counters.answered();
        answered.count(route, method, status, passed);
        answered.note(asked.reader.user_id);
        drop(answered);
        let who = Some((asked.reader.user_id, asked.reader.workspace_id));
        let request_id = request_id.to_str().unwrap_or_default();
        log(serving, client, headers, Line { request_id, method, route, status, passed, who, ..Line::default() });
        Some(response)
    }

    /// Notes the position that an answer of the app shows, or that the app has refused the request.
    fn note(&self, reader: &Claims, response: &Response<AnswerBody>) {
        if let Some(position) = position(response) {
            self.cache.show(reader.workspace_id, &position);
        } else if response.status().is_client_error() {
            self.cache.doubt(reader.workspace_id, reader.session_id);
        }
    }

    /// Stores an answer of the app, if it may be stored.
    async fn store(&self, begun: &Begun, asked: &Asked, label: Label, response: &mut Response<AnswerBody>) {
        let headers = response.headers();
        let is_plain = response.status() == StatusCode::OK
            && headers.get(header::CONTENT_TYPE).is_some_and(|value| value == JSON)
            && headers.get(header::CACHE_CONTROL).is_some_and(|value| value == NO_STORE);
        let is_short = response.body().size_hint().exact().is_some_and(|length| length <= MAX_BODY_BYTES);
        let Some(position) = position(response).filter(|_| is_plain && is_short && asked.route.fits(&label)) else {
            return;
        };
        let headers = of_body(headers);
        if let Some(body) = response.body_mut().collect().await {
            let answer = Answer { target: &asked.target, coding: asked.coding, headers, label, position, body };
            self.cache.store(begun, &asked.reader, answer);
        }
    }
}

/// Returns the headers that describe the coding of a body.
fn of_body(headers: &HeaderMap) -> HeaderMap {
    let coding = headers.get(header::CONTENT_ENCODING).map(|value| (header::CONTENT_ENCODING, value.clone()));
    let mut varying = headers.get_all(header::VARY).iter().filter(|value| *value == "accept-encoding");
    let vary = varying.next().map(|value| (header::VARY, value.clone()));
    coding.into_iter().chain(vary).collect()
}

fn position(response: &Response<AnswerBody>) -> Option<Position> {
    Position::parse(response.headers().get(EVENT_CURSOR)?.as_bytes())
}
