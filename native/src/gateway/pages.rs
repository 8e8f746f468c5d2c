//! Serves the files of the web client from memory. Every answer to the same file shares its bytes.

use std::collections::HashMap;
use std::fmt;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH};
use http::{Method, Response, StatusCode};

use super::config::InvalidConfig;
use crate::negotiation::{accepts_coding, matches_tag};

/// A file in one content coding.
#[derive(Debug)]
pub struct Variant {
    /// The content coding; `identity` is always accepted.
    pub coding: String,
    /// The entity tag, with its quotes.
    pub tag: String,
    /// Every header of the answer except its length.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub content: Bytes,
}

/// One file and the paths that lead to it.
#[derive(Debug)]
pub struct Page {
    /// The route in the metrics, by path. A path that ends in `*` stands for all paths with that beginning.
    pub routes: Vec<(String, String)>,
    /// The variants, the best first; the last one is `identity`.
    pub variants: Vec<Variant>,
}

/// All files.
#[derive(Default)]
pub struct Pages {
    exact: HashMap<String, (usize, String)>,
    prefixes: Vec<(String, usize, String)>,
    files: Vec<Vec<Prepared>>,
}

#[derive(Debug)]
struct Prepared {
    coding: String,
    tag: String,
    headers: HeaderMap,
    content: Bytes,
}

impl fmt::Debug for Pages {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Pages").field("files", &self.files.len()).finish_non_exhaustive()
    }
}

impl Pages {
    /// Prepares the answers.
    ///
    /// # Errors
    /// [`InvalidConfig`]: a header is invalid.
    pub fn new(pages: Vec<Page>) -> Result<Self, InvalidConfig> {
        let mut made = Self::default();
        for page in pages {
            let file = made.files.len();
            for (path, route) in page.routes {
                match path.strip_suffix('*') {
                    Some(prefix) => made.prefixes.push((prefix.to_owned(), file, route)),
                    None => drop(made.exact.insert(path, (file, route))),
                }
            }
            made.files.push(page.variants.into_iter().map(prepare).collect::<Result<_, _>>()?);
        }
        Ok(made)
    }

    /// Returns the answer and its route, if the path leads to a file and the method is GET or HEAD.
    #[must_use]
    pub fn answer(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<(Response<Bytes>, &str)> {
        if method != Method::GET && method != Method::HEAD {
            return None;
        }
        let (file, route) = self.find(path)?;
        let accepted = text(headers, &ACCEPT_ENCODING)?;
        let known = text(headers, &IF_NONE_MATCH)?;
        let variants = self.files[file].iter();
        let chosen =
            variants.into_iter().find(|each| each.coding == "identity" || accepts_coding(accepted, &each.coding))?;
        Some((chosen.answer(method, known), route))
    }

    fn find(&self, path: &str) -> Option<(usize, &str)> {
        if let Some((file, route)) = self.exact.get(path) {
            return Some((*file, route));
        }
        let (_, file, route) = self.prefixes.iter().find(|(prefix, ..)| path.starts_with(prefix))?;
        Some((*file, route))
    }
}

/// Returns the value of a header, or an empty text if it is missing. `None` if it is repeated or not visible ASCII.
fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Some(""),
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

fn prepare(variant: Variant) -> Result<Prepared, InvalidConfig> {
    let Variant { coding, tag, headers: given, content } = variant;
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let (Ok(valid), Ok(value)) = (HeaderName::try_from(&name), HeaderValue::try_from(value)) else {
            return Err(InvalidConfig(format!("the header {name} of a page is invalid")));
        };
        headers.insert(valid, value);
    }
    Ok(Prepared { coding, tag, headers, content })
}

impl Prepared {
    fn answer(&self, method: &Method, known: &str) -> Response<Bytes> {
        let mut headers = self.headers.clone();
        if matches_tag(known, &self.tag) {
            for name in [http::header::CONTENT_TYPE, http::header::CONTENT_ENCODING] {
                headers.remove(name);
            }
            return response(StatusCode::NOT_MODIFIED, headers, Bytes::new());
        }
        headers.insert(http::header::CONTENT_LENGTH, HeaderValue::from(self.content.len()));
        let content = if method == Method::HEAD { Bytes::new() } else { self.content.clone() };
        response(StatusCode::OK, headers, content)
    }
}

fn response(status: StatusCode, headers: HeaderMap, content: Bytes) -> Response<Bytes> {
    let mut response = Response::new(content);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variant(coding: &str, content: &'static [u8]) -> Variant {
        let headers = vec![("content-type".to_owned(), "text/html".to_owned()), ("x-a".to_owned(), coding.to_owned())];
        Variant {
            coding: coding.to_owned(),
            tag: format!("\"{coding}\""),
            headers,
            content: Bytes::from_static(content),
        }
    }

    fn pages() -> Pages {
        let routes =
            [("/", "/"), ("/chats/*", "/chats/{rest}")].map(|(path, route)| (path.to_owned(), route.to_owned()));
        let page =
            Page { routes: routes.into(), variants: vec![variant("br", b"packed"), variant("identity", b"plain")] };
        Pages::new(vec![page]).expect("the headers are valid")
    }

    fn ask(path: &str, headers: &[(HeaderName, &'static str)]) -> Option<(u16, Bytes, String)> {
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        let pages = pages();
        let (answer, route) = pages.answer(&Method::GET, path, &headers)?;
        Some((answer.status().as_u16(), answer.body().clone(), route.to_owned()))
    }

    #[test]
    fn a_file_is_served_in_the_best_coding_that_the_client_accepts() {
        assert_eq!(ask("/", &[]), Some((200, Bytes::from_static(b"plain"), "/".to_owned())));
        let packed = ask("/chats/7/2", &[(ACCEPT_ENCODING, "gzip, br")]);
        assert_eq!(packed, Some((200, Bytes::from_static(b"packed"), "/chats/{rest}".to_owned())));
    }

    #[test]
    fn a_known_file_is_not_sent_again() {
        assert_eq!(ask("/", &[(IF_NONE_MATCH, "\"identity\"")]).map(|found| found.0), Some(304));
        assert_eq!(ask("/", &[(IF_NONE_MATCH, "\"br\"")]).map(|found| found.0), Some(200));
    }

    #[test]
    fn other_paths_methods_and_repeated_headers_are_not_ours() {
        assert_eq!(ask("/chats", &[]), None);
        assert!(pages().answer(&Method::POST, "/", &HeaderMap::new()).is_none());
        let mut repeated = HeaderMap::new();
        for coding in ["br", "gzip"] {
            repeated.append(ACCEPT_ENCODING, HeaderValue::from_static(coding));
        }
        assert!(pages().answer(&Method::GET, "/", &repeated).is_none());
    }

    #[test]
    fn a_head_request_gets_the_length_without_the_body() {
        let pages = pages();
        let (answer, _) = pages.answer(&Method::HEAD, "/", &HeaderMap::new()).expect("the path is ours");
        assert_eq!((answer.headers()["content-length"].as_bytes(), answer.body().len()), (&b"5"[..], 0));
    }
}
