//! Selects the requests that the gateway answers itself. All others go to an upstream.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue, ORIGIN, VARY};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};

use super::answer::{AnswerBody, InProgress};
use super::cache::responses::{self, Responses};
use super::client::Client;
use super::content::Content;
use super::pages::Pages;
use super::proxy::{self, REQUEST_ID};
use super::refusal::{Refusal, add_headers};
use super::send::{Outcome, Sends, Usual};
use super::serving::Serving;
use crate::access_log::{AccessLog, Line};
use crate::hub::streams::Streams;
use crate::token::Tokens;

/// The parts of the gateway that answer requests without an upstream.
#[derive(Debug, Default)]
pub struct OwnAnswers {
    /// Stores messages.
    pub sends: Option<Sends>,
    /// The web client.
    pub pages: Pages,
    /// The live streams of the app, if it is in the same process.
    pub streams: Option<Arc<Streams>>,
    /// The access log, with a line for each of these answers.
    pub access: Option<Arc<AccessLog>>,
    /// Verifies the tokens of requests before they are forwarded. `None` leaves the check to the upstreams.
    pub early_tokens: Option<Arc<Tokens>>,
    /// The cache of the app's answers.
    pub responses: Option<Responses>,
}

/// Answers one request.
pub async fn answer(
    serving: &Rc<Serving>,
    client: &Client,
    request: Request<Incoming>,
    in_progress: InProgress,
) -> Response<AnswerBody> {
    if has_unusual_origin(serving, request.headers()) {
        return responses::forward(serving, client, request.map(Content::Streaming), in_progress).await.0;
    }
    let own = &serving.own;
    if let Some(response) = page(serving, client, &request) {
        return response.map(|body| AnswerBody::own(body, in_progress));
    }
    if let Some((sends, head)) = own.sends.as_ref().and_then(|sends| Some((sends, sends.read_head(&request)?))) {
        return send(serving, client, request, (sends, head), in_progress).await;
    }
    responses::answer(serving, client, request, in_progress).await
}

/// Returns a file of the web client. A request with a body is unusual.
fn page(serving: &Serving, client: &Client, request: &Request<Incoming>) -> Option<Response<Bytes>> {
    if !request.body().is_end_stream() {
        return None;
    }
    let began = Instant::now();
    let (mut response, route) = serving.own.pages.answer(request.method(), request.uri().path(), request.headers())?;
    let request_id = proxy::request_id(serving, request.headers());
    add_headers(response.headers_mut(), &request_id, serving.config.https_only);
    add_cors(serving, request.headers(), response.headers_mut());
    let (method, status, passed) = (request.method().as_str(), response.status().as_u16(), began.elapsed());
    serving.counters.answered().count(route, method, status, passed);
    let request_id = request_id.to_str().unwrap_or_default();
    let line = Line { request_id, method, route, status, passed, ..Line::default() };
    log(serving, client, request.headers(), line);
    Some(response)
}

async fn send(
    serving: &Rc<Serving>,
    client: &Client,
    request: Request<Incoming>,
    (sends, head): (&Sends, Usual),
    in_progress: InProgress,
) -> Response<AnswerBody> {
    let (mut rest, body) = request.into_parts();
    let request_id = proxy::request_id(serving, &rest.headers);
    let (began, route, who) = (Instant::now(), head.route(), Some(head.who()));
    let outcome = sends.serve(head, body, &request_id, &serving.config.limits, &serving.counters).await;
    let mut response = match outcome {
        Outcome::Answered(mut response) => {
            add_headers(response.headers_mut(), &request_id, serving.config.https_only);
            response
        }
        Outcome::Refused(refusal) => serving.refusal(refusal, &request_id, refusal != Refusal::NotStored),
        Outcome::Unusual(body) => {
            rest.headers.insert(REQUEST_ID, request_id);
            let request = Request::from_parts(rest, Content::Whole(Full::new(body)));
            return responses::forward(serving, client, request, in_progress).await.0;
        }
    };
    add_cors(serving, &rest.headers, response.headers_mut());
    let (status, passed) = (response.status().as_u16(), began.elapsed());
    let request_id = request_id.to_str().unwrap_or_default();
    let line = Line { request_id, method: "POST", route, status, passed, who, ..Line::default() };
    log(serving, client, &rest.headers, line);
    response.map(|body| AnswerBody::own(body, in_progress))
}

/// Whether the origin of a request is ambiguous. Without `cors_origins`, this does not matter.
fn has_unusual_origin(serving: &Serving, headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    let is_text = origins.next().is_none_or(|origin| origin.to_str().is_ok());
    serving.config.cors_origins.is_on() && (!is_text || origins.next().is_some())
}

/// Adds the headers for pages of other sites.
pub fn add_cors(serving: &Serving, asked: &HeaderMap, headers: &mut HeaderMap) {
    let origin = asked.get(ORIGIN).and_then(|origin| origin.to_str().ok());
    let vary = headers.get_all(VARY).iter().filter_map(|value| value.to_str().ok());
    for (name, value) in serving.config.cors_origins.headers(origin, vary) {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// Writes a line to the access log, if there is one, with the client's address.
pub fn log(serving: &Serving, client: &Client, headers: &HeaderMap, line: Line<'_>) {
    let Some(access) = serving.own.access.as_ref().filter(|access| access.is_on()) else { return };
    access.write(&Line { address: &serving.client_address(client, headers), ..line });
}
