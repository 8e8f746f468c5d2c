//! Which headers let pages of other sites read an answer (CORS). Preflight requests are answered by Python only.

use serde::Deserialize;

/// The headers of answers that pages of other sites may read.
const EXPOSED: &str = "Event-Cursor, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id";

/// The origins whose pages may call the API with a token, but never with cookies. `*` means all origins. Without any,
/// answers have no header of CORS.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Cors(pub Vec<String>);

/// A header: its name and its value.
pub type Header = (&'static str, String);

impl Cors {
    /// Whether there are origins.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.0.is_empty()
    }

    /// Returns headers for an answer. Each header replaces all headers of the answer that have the same name.
    ///
    /// * `origin`: the `Origin` header of the request.
    /// * `vary`: the `Vary` headers of the answer so far.
    #[must_use]
    pub fn headers<'a>(&self, origin: Option<&str>, vary: impl Iterator<Item = &'a str>) -> Vec<Header> {
        if !self.is_on() {
            return Vec::new();
        }
        let varies: Vec<_> = vary.chain(["Origin"]).collect();
        let mut headers = vec![("vary", varies.join(", "))];
        if let Some(origin) = origin {
            let is_allowed = |allowed: &str| self.0.iter().any(|each| each == allowed);
            if is_allowed("*") {
                headers.push(("access-control-allow-origin", "*".to_owned()));
            } else if is_allowed(origin) {
                headers.push(("access-control-allow-origin", origin.to_owned()));
            }
            headers.push(("access-control-expose-headers", EXPOSED.to_owned()));
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "https://tool.example.org";

    fn headers(origins: &[&str], origin: Option<&str>, vary: &[&str]) -> Vec<Header> {
        let origins = origins.iter().map(|&origin| origin.to_owned()).collect();
        Cors(origins).headers(origin, vary.iter().copied())
    }

    fn value(headers: &[Header], name: &str) -> Option<String> {
        headers.iter().find(|header| header.0 == name).map(|header| header.1.clone())
    }

    #[test]
    fn only_a_listed_origin_is_allowed() {
        let allowed = |origins: &[&str], origin| value(&headers(origins, origin, &[]), "access-control-allow-origin");
        assert_eq!(allowed(&[OURS], Some(OURS)).as_deref(), Some(OURS));
        assert_eq!(allowed(&["*"], Some(OURS)).as_deref(), Some("*"));
        for other in [None, Some("https://tool.example.org:444"), Some("null"), Some("*"), Some("")] {
            assert_eq!(allowed(&[OURS], other), None, "{other:?}");
        }
        assert!(headers(&[], Some(OURS), &[]).is_empty());
    }

    #[test]
    fn every_answer_varies_by_origin() {
        for origin in [None, Some(OURS), Some("null")] {
            assert_eq!(value(&headers(&[OURS], origin, &[]), "vary").as_deref(), Some("Origin"));
        }
        let vary = value(&headers(&["*"], None, &["accept-encoding", "x"]), "vary");
        assert_eq!(vary.as_deref(), Some("accept-encoding, x, Origin"));
    }
}
