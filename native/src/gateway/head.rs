//! Checks the head of an HTTP/1.1 request, and determines the length of its body.

use super::refusal::Refusal;

/// Maximum size of a method. The request line has at most this many bytes besides the target.
pub const MAX_METHOD_BYTES: usize = 64;
const MAX_LENGTH_DIGITS: usize = 18;

/// The limits of a head.
#[derive(Debug, Clone, Copy)]
pub struct HeadLimits {
    /// Maximum size of the head.
    pub bytes: usize,
    /// Maximum number of headers.
    pub headers: usize,
    /// Maximum size of the request target.
    pub uri_bytes: usize,
}

/// How the body of a request is framed.
#[derive(Debug, PartialEq, Eq)]
pub enum Body {
    /// The body has this many bytes.
    Length(u64),
    /// The body consists of chunks.
    Chunked,
}

/// The headers that decide where the request ends and for which host it is.
#[derive(Default)]
struct Framing {
    length: Option<u64>,
    chunked: bool,
    hosts: usize,
}

/// Checks a complete head, including the empty line at its end. Every line ends in CR LF.
///
/// # Errors
/// A refusal if the head is malformed, ambiguous or too large.
pub fn check(head: &[u8], limits: &HeadLimits) -> Result<Body, Refusal> {
    let mut lines = head[..head.len() - 3].split(|byte| *byte == b'\n');
    let is_1_1 = request_line(strip_return(lines.next().unwrap_or_default()), limits)?;
    let mut found = Framing::default();
    for (count, line) in lines.enumerate() {
        if count == limits.headers {
            return Err(Refusal::HeadTooLarge);
        }
        header(strip_return(line), is_1_1, &mut found)?;
    }
    if found.hosts > 1 || (is_1_1 && found.hosts == 0) {
        return Err(Refusal::MalformedHost);
    }
    match (found.chunked, found.length) {
        (true, Some(_)) => Err(Refusal::MalformedHead),
        (true, None) => Ok(Body::Chunked),
        (false, length) => Ok(Body::Length(length.unwrap_or(0))),
    }
}

/// Removes the CR at the end of a line.
fn strip_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Returns whether the version is HTTP/1.1; otherwise it is HTTP/1.0.
fn request_line(line: &[u8], limits: &HeadLimits) -> Result<bool, Refusal> {
    let mut parts = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Refusal::MalformedHead);
    };
    if target.len() > limits.uri_bytes {
        return Err(Refusal::UriTooLong);
    }
    let method_is_valid = !method.is_empty() && method.len() <= MAX_METHOD_BYTES && method.iter().all(|b| is_token(*b));
    if !method_is_valid || method == b"CONNECT" || !is_target(target) {
        return Err(Refusal::MalformedHead);
    }
    match version {
        b"HTTP/1.1" => Ok(true),
        b"HTTP/1.0" => Ok(false),
        _ => Err(Refusal::MalformedHead),
    }
}

/// Hyper parses the target with the same function, so it cannot refuse a target that the gateway accepts.
fn is_target(target: &[u8]) -> bool {
    target.iter().all(|byte| (0x21..0x7f).contains(byte) || *byte >= 0x80) && http::Uri::try_from(target).is_ok()
}

fn header(line: &[u8], is_1_1: bool, found: &mut Framing) -> Result<(), Refusal> {
    let colon = memchr::memchr(b':', line).ok_or(Refusal::MalformedHead)?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    if name.is_empty() || !name.iter().all(|byte| is_token(*byte)) || !value.iter().all(|byte| is_text(*byte)) {
        return Err(Refusal::MalformedHead);
    }
    let value = value.trim_ascii();
    match name.len() {
        4 if name.eq_ignore_ascii_case(b"host") => found.hosts += 1,
        14 if name.eq_ignore_ascii_case(b"content-length") => {
            let length = length(value).filter(|_| found.length.is_none());
            found.length = Some(length.ok_or(Refusal::MalformedHead)?);
        }
        17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
            if found.chunked || !is_1_1 || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Refusal::MalformedHead);
            }
            found.chunked = true;
        }
        _ => {}
    }
    Ok(())
}

fn length(value: &[u8]) -> Option<u64> {
    let is_number = !value.is_empty() && value.len() <= MAX_LENGTH_DIGITS && value.iter().all(u8::is_ascii_digit);
    is_number.then(|| value.iter().fold(0, |length, byte| length * 10 + u64::from(byte - b'0')))
}

/// Whether the byte may occur in a method or in a header's name.
#[must_use]
pub fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}
