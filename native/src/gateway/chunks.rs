//! Checks the framing of a chunked body strictly: each part has only one accepted spelling.

/// Maximum number of digits of a chunk's size. No chunk that the gateway forwards needs more.
const MAX_SIZE_DIGITS: u8 = 15;
/// Maximum size of all trailers and chunk extensions of one body.
const MAX_EXTRA_BYTES: usize = 8 << 10;

/// The result of a check of the next bytes of a body.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    /// All bytes so far are correct; the body continues.
    Pass(usize),
    /// The body ends after this many bytes.
    End(usize),
    /// The bytes are not a chunked body.
    Invalid,
}

/// The position within a chunked body.
#[derive(Debug, Default)]
pub struct Chunks {
    state: State,
    extra_bytes: usize,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    #[default]
    FirstDigit,
    Size {
        size: u64,
        digits: u8,
    },
    Extension {
        size: u64,
    },
    SizeFeed {
        size: u64,
    },
    Data(u64),
    DataReturn,
    DataFeed,
    Line,
    TrailerName,
    TrailerValue,
    TrailerFeed,
    LastFeed,
    Ended,
}

impl Chunks {
    /// Checks the next bytes of the body.
    pub fn judge(&mut self, bytes: &[u8]) -> Part {
        let mut at = 0;
        while at < bytes.len() {
            if let State::Data(left) = self.state {
                let count = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len() - at);
                at += count;
                self.state = match left - count as u64 {
                    0 => State::DataReturn,
                    left => State::Data(left),
                };
                continue;
            }
            let Some(next) = self.next(bytes[at]) else { return Part::Invalid };
            self.state = next;
            at += 1;
            if matches!(next, State::Ended) {
                return Part::End(at);
            }
        }
        Part::Pass(at)
    }

    /// Returns the state after one byte outside of data; None if the byte is invalid there.
    fn next(&mut self, byte: u8) -> Option<State> {
        match self.state {
            State::FirstDigit => Some(State::Size { size: digit(byte)?, digits: 1 }),
            State::Size { size, digits } => match byte {
                b'\r' => Some(State::SizeFeed { size }),
                b';' => self.extra(State::Extension { size }),
                _ if digits < MAX_SIZE_DIGITS => {
                    Some(State::Size { size: size * 16 + digit(byte)?, digits: digits + 1 })
                }
                _ => None,
            },
            State::Extension { size } if byte == b'\r' => Some(State::SizeFeed { size }),
            State::Extension { .. } if is_text(byte) => self.extra(self.state),
            State::SizeFeed { size: 0 } | State::TrailerFeed if byte == b'\n' => Some(State::Line),
            State::SizeFeed { size } if byte == b'\n' => Some(State::Data(size)),
            State::DataReturn if byte == b'\r' => Some(State::DataFeed),
            State::DataFeed if byte == b'\n' => Some(State::FirstDigit),
            State::Line if byte == b'\r' => Some(State::LastFeed),
            State::TrailerName if byte == b':' => Some(State::TrailerValue),
            State::Line | State::TrailerName if super::head::is_token(byte) => self.extra(State::TrailerName),
            State::TrailerValue if byte == b'\r' => Some(State::TrailerFeed),
            State::TrailerValue if is_text(byte) => self.extra(State::TrailerValue),
            State::LastFeed if byte == b'\n' => Some(State::Ended),
            _ => None,
        }
    }

    fn extra(&mut self, state: State) -> Option<State> {
        self.extra_bytes += 1;
        (self.extra_bytes <= MAX_EXTRA_BYTES).then_some(state)
    }
}

fn digit(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(16).map(u64::from)
}

fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(body: &[u8]) -> Part {
        let whole = Chunks::default().judge(body);
        let mut chunks = Chunks::default();
        for (at, byte) in body.iter().enumerate() {
            match chunks.judge(&[*byte]) {
                Part::Pass(_) => {}
                Part::End(_) => {
                    assert_eq!(whole, Part::End(at + 1));
                    return whole;
                }
                Part::Invalid => {
                    assert_eq!(whole, Part::Invalid);
                    return whole;
                }
            }
        }
        whole
    }

    #[test]
    fn a_body_ends_after_its_last_chunk_and_trailers() {
        assert_eq!(judge(b"2\r\n{}\r\n0\r\n\r\nGET"), Part::End(12));
        assert_eq!(judge(b"a;x=\"y\"\r\n0123456789\r\n000\r\nx-a: b\r\n\r\n"), Part::End(36));
        assert_eq!(judge(b"5\r\nhel"), Part::Pass(6));
    }

    #[test]
    fn other_spellings_are_invalid() {
        for body in [
            &b"\r\n"[..],
            b"g\r\n",
            b"-1\r\n",
            b"0x2\r\n",
            b" 2\r\n",
            b"2 \r\n",
            b"2\n{}",
            b"2\r{",
            b"2\r\n{}0",
            b"2\r\n{}\n0",
            b"ffffffffffffffff\r\n",
            b"0000000000000000\r\n",
            b"0\r\nx\r\n",
            b"0\r\n x: y\r\n",
            b"0\r\nx: \0\r\n",
            b"0\r\n\n",
            b"2;\x7f\r\n",
            b"2;a\n",
        ] {
            assert_eq!(judge(body), Part::Invalid, "{body:?}");
        }
    }

    #[test]
    fn extensions_and_trailers_are_bounded() {
        let mut chunks = Chunks::default();
        assert_eq!(chunks.judge(b"1;"), Part::Pass(2));
        assert_eq!(chunks.judge(&[b'a'; MAX_EXTRA_BYTES]), Part::Invalid);
    }
}
