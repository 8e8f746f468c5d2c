//! Which requests the gateway answers itself. All others go to an upstream.

use std::rc::Rc;

use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;

use super::answer::{AnswerBody, InProgress};
use super::client::Client;
use super::proxy::{self, REQUEST_ID};
use super::received::Received;
use super::refusal::{Refusal, add_headers};
use super::send::Outcome;
use super::serving::Serving;

/// Answers one request.
pub async fn answer(
    serving: &Rc<Serving>,
    client: &Client,
    request: Request<Incoming>,
    in_progress: InProgress,
) -> Response<AnswerBody> {
    let Some((sends, head)) = serving.sends.as_ref().and_then(|sends| Some((sends, sends.read_head(&request)?))) else {
        return proxy::forward(serving, client, request.map(Received::Streaming), in_progress).await;
    };
    let (mut rest, body) = request.into_parts();
    let request_id = proxy::request_id(serving, &rest.headers);
    let outcome = sends.serve(head, body, &request_id, &serving.config.limits, &serving.counters).await;
    let response = match outcome {
        Outcome::Answered(mut response) => {
            add_headers(response.headers_mut(), &request_id, serving.config.https_only);
            response
        }
        Outcome::Refused(refusal) => serving.refusal(refusal, &request_id, refusal != Refusal::NotStored),
        Outcome::Unusual(body) => {
            rest.headers.insert(REQUEST_ID, request_id);
            let request = Request::from_parts(rest, Received::Whole(Full::new(body)));
            return proxy::forward(serving, client, request, in_progress).await;
        }
    };
    response.map(|body| AnswerBody::own(body, in_progress))
}
