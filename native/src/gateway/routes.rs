//! Which requests the gateway answers itself. All others go to an upstream.

use std::rc::Rc;

use http::{Request, Response};
use hyper::body::Incoming;

use super::answer::{AnswerBody, InProgress};
use super::client::Client;
use super::proxy;
use super::serving::Serving;

/// Answers one request.
pub async fn answer(
    serving: &Rc<Serving>,
    client: &Client,
    request: Request<Incoming>,
    in_progress: InProgress,
) -> Response<AnswerBody> {
    proxy::forward(serving, client, request, in_progress).await
}
