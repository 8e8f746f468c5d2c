//! Decides where each request of an HTTP/1.1 connection begins and ends, more strictly than the standard requires.
//!
//! The gateway passes only complete and checked heads on to hyper, so hyper and every server behind the gateway agree
//! about the framing. An ambiguous head is refused. If a proxy and a server interpreted it differently, a client could
//! smuggle a request.

use super::chunks::{Chunks, Part};
use super::head::{self, Body, HeadLimits};
use super::refusal::Refusal;

/// Empty lines before a request line that are ignored. Some clients send one after a body.
const MAX_EMPTY_LINES: u8 = 2;

/// The result of a check of the next bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// More bytes are needed.
    More,
    /// This many bytes are correct.
    Pass(usize),
    /// A head of this many bytes is complete and correct.
    Head(usize),
    /// The connection cannot continue.
    Refuse(Refusal),
    /// The body is invalid. Its request may have been forwarded already.
    BadBody,
}

/// The position within a connection's stream of requests.
#[derive(Debug)]
pub struct Framing {
    limits: HeadLimits,
    state: State,
    /// Number of bytes of the unfinished head that were already searched for its end.
    searched: usize,
    empty_lines: u8,
}

#[derive(Debug)]
enum State {
    Head,
    Length(u64),
    Chunked(Chunks),
}

impl Framing {
    /// Starts before the first request.
    #[must_use]
    pub fn new(limits: HeadLimits) -> Self {
        Self { limits, state: State::Head, searched: 0, empty_lines: 0 }
    }

    /// Whether the next byte belongs to a head.
    #[must_use]
    pub fn in_head(&self) -> bool {
        matches!(self.state, State::Head)
    }

    /// Checks the next bytes. After `Pass` and `Head`, the caller removes that many bytes from the front.
    pub fn judge(&mut self, bytes: &[u8]) -> Verdict {
        if bytes.is_empty() {
            return Verdict::More;
        }
        match &mut self.state {
            State::Head => self.judge_head(bytes),
            State::Length(left) => {
                let passed = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= passed as u64;
                if *left == 0 {
                    self.state = State::Head;
                }
                Verdict::Pass(passed)
            }
            State::Chunked(chunks) => match chunks.judge(bytes) {
                Part::Pass(count) => Verdict::Pass(count),
                Part::End(count) => {
                    self.state = State::Head;
                    Verdict::Pass(count)
                }
                Part::Invalid => Verdict::BadBody,
            },
        }
    }

    fn judge_head(&mut self, bytes: &[u8]) -> Verdict {
        if bytes[0] == b'\r' {
            return self.empty_line(bytes);
        }
        let end = match self.find_end(bytes) {
            Ok(Some(end)) if end <= self.limits.bytes => end,
            Ok(end) => return end.map_or_else(|| self.unfinished(bytes), |_| Verdict::Refuse(too_large(bytes))),
            Err(refusal) => return Verdict::Refuse(refusal),
        };
        self.searched = 0;
        self.empty_lines = 0;
        match head::check(&bytes[..end], &self.limits) {
            Ok(Body::Length(0)) => {}
            Ok(Body::Length(length)) => self.state = State::Length(length),
            Ok(Body::Chunked) => self.state = State::Chunked(Chunks::default()),
            Err(refusal) => return Verdict::Refuse(refusal),
        }
        Verdict::Head(end)
    }

    fn empty_line(&mut self, bytes: &[u8]) -> Verdict {
        match bytes.get(1) {
            None => Verdict::More,
            Some(b'\n') if self.empty_lines < MAX_EMPTY_LINES => {
                self.empty_lines += 1;
                Verdict::Pass(2)
            }
            Some(_) => Verdict::Refuse(Refusal::MalformedHead),
        }
    }

    /// Returns the size of the head if it is complete. A line must not end in a line feed alone.
    fn find_end(&mut self, bytes: &[u8]) -> Result<Option<usize>, Refusal> {
        for at in memchr::memchr_iter(b'\n', &bytes[self.searched..]).map(|at| at + self.searched) {
            if at == 0 || bytes[at - 1] != b'\r' {
                return Err(Refusal::MalformedHead);
            }
            if at >= 3 && bytes[at - 2] == b'\n' {
                return Ok(Some(at + 1));
            }
        }
        self.searched = bytes.len();
        Ok(None)
    }

    fn unfinished(&self, bytes: &[u8]) -> Verdict {
        let line = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
        if line > self.limits.uri_bytes + head::MAX_METHOD_BYTES {
            Verdict::Refuse(Refusal::UriTooLong)
        } else if bytes.len() > self.limits.bytes {
            Verdict::Refuse(Refusal::HeadTooLarge)
        } else {
            Verdict::More
        }
    }
}

fn too_large(bytes: &[u8]) -> Refusal {
    let line = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
    if line * 2 > bytes.len() { Refusal::UriTooLong } else { Refusal::HeadTooLarge }
}
