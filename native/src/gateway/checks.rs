//! Checks the upstreams of a stand-alone gateway. A check detects an upstream that hangs or has stopped, so that
//! clients' requests need not fail first.

use std::cell::Cell;
use std::rc::{Rc, Weak};
use std::sync::atomic::Ordering;

use http::header::{HOST, HeaderValue};
use http::{Request, Uri};
use tokio::time::{sleep, timeout};

use super::alone::Checks;
use super::balance::Member;
use super::body::{Ending, RequestBody};
use super::serving::Serving;

const CHECKED_HOST: HeaderValue = HeaderValue::from_static("localhost");

/// Checks every upstream of the current routes until they are replaced.
pub fn begin(serving: &Rc<Serving>) {
    let routing = serving.routing();
    let Some(checks) = routing.alone.as_ref().and_then(|alone| alone.checks.as_ref()) else { return };
    for member in routing.members() {
        let checking = check_forever(Rc::downgrade(&routing), Rc::clone(member), checks.clone(), Rc::clone(serving));
        tokio::task::spawn_local(checking);
    }
}

async fn check_forever<T>(current: Weak<T>, member: Rc<Member>, checks: Checks, serving: Rc<Serving>) {
    let mut failures = 0;
    while current.strong_count() > 0 {
        let works = timeout(checks.timeout_seconds, works(&member, &checks, &serving)).await.unwrap_or(false);
        failures = if works { 0 } else { failures + 1 };
        if works || failures >= checks.failures {
            member.counts.is_unhealthy.store(!works, Ordering::Relaxed);
        }
        sleep(checks.interval_seconds).await;
    }
}

/// Sends the request over a new connection, because an idle connection can hide that the upstream no longer accepts
/// connections.
async fn works(member: &Member, checks: &Checks, serving: &Serving) -> bool {
    let Ok(uri) = Uri::try_from(&checks.path) else { return false };
    let Ok(mut lease) = member.upstream.dial().await else { return false };
    let ending = Rc::new(Cell::new(Ending::Open));
    let mut request = Request::new(RequestBody::empty(ending, &serving.config.limits));
    *request.uri_mut() = uri;
    request.headers_mut().insert(HOST, CHECKED_HOST);
    lease.send(request).await.is_ok_and(|response| matches!(response.status().as_u16(), 200..=399))
}
