//! Error responses: `application/problem+json` with a stable `code` (RFC 9457).
//!
//! `fechatter/codes.py` declares every code, and `fechatter/errors.py` the title of each status.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::quota;

/// The media type of every error response.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// The title of each status. Python passes them at the start.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Titles(BTreeMap<u16, String>);

impl Titles {
    /// Returns the title of a status, or an empty text.
    #[must_use]
    pub fn get(&self, status: u16) -> &str {
        self.0.get(&status).map_or("", String::as_str)
    }
}

/// The limit that a request exceeded.
#[derive(Clone, Copy, Debug)]
pub struct Limit<'a> {
    /// Its name in the headers.
    pub name: &'a str,
    /// The requests that it allows.
    pub requests: u32,
    /// The time in which it allows them.
    pub window_seconds: u32,
}

/// One error response.
#[derive(Clone, Copy, Debug, Default)]
pub struct Problem<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The title of the status.
    pub title: &'a str,
    /// The stable code.
    pub code: &'a str,
    /// A sentence for people.
    pub detail: &'a str,
    /// Further members of the body as JSON: `"name":value`, separated by commas.
    pub members: &'a [u8],
    /// The value of Retry-After.
    pub retry_after_seconds: Option<u64>,
    /// The limit that the request exceeded.
    pub limit: Option<Limit<'a>>,
    /// The methods that the URL supports, separated by commas.
    pub allow: Option<&'a str>,
}

impl Problem<'_> {
    /// Returns the body.
    #[must_use]
    pub fn body(&self, request_id: &str) -> Vec<u8> {
        let mut body = Vec::with_capacity(256 + self.detail.len() + self.members.len());
        let status = self.status.to_string();
        body.extend_from_slice(b"{\"type\":\"urn:fechatter:problem:");
        body.extend_from_slice(self.code.as_bytes());
        push(&mut body, "\",\"title\":", self.title);
        body.extend_from_slice(b",\"status\":");
        body.extend_from_slice(status.as_bytes());
        push(&mut body, ",\"code\":", self.code);
        push(&mut body, ",\"detail\":", self.detail);
        push(&mut body, ",\"request_id\":", request_id);
        if !self.members.is_empty() {
            body.push(b',');
            body.extend_from_slice(self.members);
        }
        body.push(b'}');
        body
    }

    /// Returns the headers that every entry point sends with the body, without its length.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![("content-type", MEDIA_TYPE.to_owned()), ("cache-control", "no-store".to_owned())];
        if self.status == 401 {
            headers.push(("www-authenticate", "Bearer realm=\"fechatter\"".to_owned()));
        }
        if let Some(seconds) = self.retry_after_seconds {
            headers.push(("retry-after", seconds.to_string()));
        }
        if let Some(Limit { name, requests, window_seconds }) = self.limit {
            let seconds = self.retry_after_seconds.unwrap_or_default();
            headers.push((quota::POLICY_HEADER, quota::policy(name, requests, window_seconds)));
            headers.push((quota::REMAINING_HEADER, quota::remaining(name, 0, seconds)));
        }
        if let Some(methods) = self.allow {
            headers.push(("allow", methods.to_owned()));
        }
        headers
    }
}

/// Appends `before`, and the text as a JSON string.
fn push(body: &mut Vec<u8>, before: &str, text: &str) {
    body.extend_from_slice(before.as_bytes());
    serde_json::to_writer(body, text).expect("a vector accepts every byte");
}

#[cfg(test)]
mod tests {
    use super::{Limit, Problem, Titles};

    #[test]
    fn titles_are_read_from_json() {
        let titles: Titles = serde_json::from_str(r#"{"404":"Not found"}"#).expect("an object with statuses");
        assert_eq!((titles.get(404), titles.get(500)), ("Not found", ""));
        assert!(serde_json::from_str::<Titles>(r#"{"x":"Not found"}"#).is_err());
    }

    #[test]
    fn a_body_has_the_members_in_their_order() {
        let problem = Problem {
            status: 413,
            title: "T",
            code: "c",
            detail: "\"d\"\n",
            members: b"\"a\":1",
            ..Problem::default()
        };
        let expected = concat!(
            r#"{"type":"urn:fechatter:problem:c","title":"T","status":413,"code":"c","detail":"\"d\"\n","#,
            r#""request_id":"id","a":1}"#
        );
        assert_eq!(problem.body("id"), expected.as_bytes());
        assert_eq!(problem.headers().len(), 2);
    }

    #[test]
    fn headers_follow_from_the_status_and_the_limit() {
        let limit = Limit { name: "messages", requests: 60, window_seconds: 60 };
        let refused = Problem { status: 429, retry_after_seconds: Some(7), limit: Some(limit), ..Problem::default() };
        let headers = refused.headers();
        assert_eq!(headers[2], ("retry-after", "7".to_owned()));
        assert_eq!(headers[4], ("ratelimit", "\"messages\";r=0;t=7".to_owned()));
        assert_eq!(Problem { status: 401, ..Problem::default() }.headers()[2].0, "www-authenticate");
    }
}
