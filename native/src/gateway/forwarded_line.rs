//! The access log of a stand-alone gateway. In front of an app, the app logs the requests that are forwarded to it.

use std::rc::Rc;
use std::time::Instant;

use http::header::HeaderValue;
use http::{Method, Request};

use super::client::Client;
use super::content::Content;
use super::serving::Serving;
use crate::access_log::Line;

/// The data for the log line of one request, except for the answer.
pub struct ForwardedLine {
    serving: Rc<Serving>,
    began: Instant,
    request_id: HeaderValue,
    method: Method,
    route: String,
    address: String,
}

impl ForwardedLine {
    /// Collects the data of a request. `None` if the request gets no log line.
    #[must_use]
    pub fn begin(
        serving: &Rc<Serving>,
        client: &Client,
        request: &Request<Content>,
        request_id: &HeaderValue,
    ) -> Option<Self> {
        let is_on = serving.own.access.as_ref().is_some_and(|access| access.is_on());
        let routing = serving.routing();
        if !is_on || routing.alone.is_none() {
            return None;
        }
        Some(Self {
            serving: Rc::clone(serving),
            began: Instant::now(),
            request_id: request_id.clone(),
            method: request.method().clone(),
            // A path can contain a secret, such as the token of an invitation.
            route: routing.prefix(request.uri().path()).unwrap_or_default().to_owned(),
            address: serving.client_address(client, request.headers()),
        })
    }

    /// Writes the line. `upstream` is empty if no upstream has answered.
    pub fn write(&self, status: u16, upstream: &str) {
        let Some(access) = &self.serving.own.access else { return };
        access.write(&Line {
            request_id: self.request_id.to_str().unwrap_or_default(),
            method: self.method.as_str(),
            route: &self.route,
            status,
            passed: self.began.elapsed(),
            address: &self.address,
            who: None,
            upstream,
        });
    }
}
