//! Sends a request to an upstream. If the upstream fails, it sends the request to another one, if that is safe.
//!
//! A request that was not sent can go to any upstream. A request that may have been sent is repeated only if its
//! method is idempotent and it has no body, so no message is stored twice.

use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;

use http::{Method, Request, Response};
use hyper::body::{Body as _, Incoming};
use tokio::time::timeout;

use super::answer::{Borrowed, Forwarding};
use super::balance::Attempt;
use super::body::{Ending, RequestBody};
use super::refusal::Refusal;
use super::serving::Serving;
use super::upstream::Lease;

/// A request that is ready to be sent.
pub struct Prepared {
    /// The request.
    pub request: Request<RequestBody>,
    /// How its body ended.
    pub ending: Rc<Cell<Ending>>,
}

/// Why an attempt has no answer.
enum Failed {
    /// The client or a limit is the reason, not the upstream.
    Refused(Refusal),
    /// Nothing was sent.
    Unsent(Box<Request<RequestBody>>),
    /// The request may have been sent.
    Sent,
    /// The answer did not begin in time.
    Late,
}

/// Sends a request, and returns the head of its answer.
///
/// # Errors
/// No upstream serves the path or answers, or the client's body was broken off.
pub async fn send(serving: &Serving, prepared: Prepared) -> Result<(Response<Incoming>, Borrowed), Refusal> {
    let Prepared { mut request, ending } = prepared;
    let routing = serving.routing();
    let group = routing.group(request.uri().path()).ok_or(Refusal::NotFound)?;
    serving.counters.proxied.add();
    let mut forwarding = Forwarding::begin(&serving.counters);
    let (has_body, repeatable) = (!request.body().is_end_stream(), Repeatable::new(&request));
    let mut tried = Vec::new();
    while let Some(attempt) = group.begin(&tried, has_body) {
        let failed = match over(serving, &attempt, request, &ending, repeatable.as_ref()).await {
            Ok((response, lease)) => {
                let busy = attempt.succeeded();
                let upstream = Rc::clone(&attempt.member().upstream);
                forwarding.answered(response.headers(), busy);
                let is_read = !has_body || response.status().is_success();
                return Ok((response, Borrowed { lease, upstream, ending, is_read, forwarding, share: None }));
            }
            Err(failed) => failed,
        };
        if let Failed::Refused(refusal) = failed {
            return Err(refusal);
        }
        attempt.failed();
        tried.push(Rc::clone(attempt.member()));
        request = match (failed, &repeatable) {
            (Failed::Unsent(unsent), _) => *unsent,
            (Failed::Sent, Some(repeatable)) => repeatable.request(serving, &ending),
            _ => break,
        };
    }
    Err(Refusal::UpstreamUnavailable)
}

/// Sends a request to one upstream: over an idle connection, or over a new one if no idle connection works.
async fn over(
    serving: &Serving,
    attempt: &Attempt,
    mut request: Request<RequestBody>,
    ending: &Rc<Cell<Ending>>,
    repeatable: Option<&Repeatable>,
) -> Result<(Response<Incoming>, Lease), Failed> {
    let upstream = &attempt.member().upstream;
    loop {
        let idle = upstream.take();
        let is_new = idle.is_none();
        let mut lease = match idle {
            Some(lease) => lease,
            None => match upstream.connect().await {
                Ok(lease) => lease,
                Err(_) => return Err(Failed::Unsent(request.into())),
            },
        };
        let Some(result) = in_time(serving, lease.send(request)).await else { return Err(Failed::Late) };
        let mut error = match result {
            Ok(response) => return Ok((response, lease)),
            Err(error) => error,
        };
        request = match (error.take_message(), ending.get(), repeatable) {
            (Some(unsent), ..) if !is_new => unsent,
            (Some(unsent), ..) => return Err(Failed::Unsent(unsent.into())),
            (None, Ending::Broken(refusal), _) => return Err(Failed::Refused(refusal)),
            // The upstream closed the idle connection at the same moment.
            (None, _, Some(repeatable)) if !is_new => repeatable.request(serving, ending),
            (None, ..) if !is_new => return Err(Failed::Refused(Refusal::UpstreamUnavailable)),
            (None, ..) => return Err(Failed::Sent),
        };
    }
}

/// Limits the time until the head of the answer, in a stand-alone gateway. `None` if the time is over.
async fn in_time<T>(serving: &Serving, sending: impl Future<Output = T>) -> Option<T> {
    let limit = serving.routing().alone.as_ref().map(|alone| alone.answer_seconds);
    match limit {
        Some(limit) => timeout(limit, sending).await.ok(),
        None => Some(sending.await),
    }
}

/// A request without a body whose repetition has no further effect.
struct Repeatable(http::request::Parts);

impl Repeatable {
    fn new(request: &Request<RequestBody>) -> Option<Self> {
        const IDEMPOTENT: [Method; 5] = [Method::GET, Method::HEAD, Method::OPTIONS, Method::PUT, Method::DELETE];
        (request.body().is_end_stream() && IDEMPOTENT.contains(request.method())).then(|| {
            let (mut parts, ()) = Request::new(()).into_parts();
            parts.method = request.method().clone();
            parts.uri = request.uri().clone();
            parts.headers = request.headers().clone();
            Self(parts)
        })
    }

    fn request(&self, serving: &Serving, ending: &Rc<Cell<Ending>>) -> Request<RequestBody> {
        Request::from_parts(self.0.clone(), RequestBody::empty(Rc::clone(ending), &serving.config.limits))
    }
}
