//! Reads the frames of a client's WebSocket (RFC 6455), however their bytes arrive.
//!
//! A frame is refused at the first byte that is wrong, so nothing is stored of it. Between two messages, the reader has
//! no buffer.

use simdutf8::compat::from_utf8;

/// Maximum size of a message, the same as of the body of a send. Each fragment counts as at least one byte.
pub const MAX_MESSAGE_BYTES: usize = 64 << 10;
const MAX_CONTROL_BYTES: u64 = 125;
const MAX_HEADER_BYTES: usize = 14;

/// The close codes of refused frames.
const PROTOCOL_ERROR: u16 = 1002;
const NOT_TEXT: u16 = 1003;
const NOT_UTF8: u16 = 1007;
const TOO_LARGE: u16 = 1009;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// What a client has sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// A complete text message. It is UTF-8.
    Message(Vec<u8>),
    /// A ping, which must be answered with the same content.
    Ping(Vec<u8>),
    /// A pong.
    Pong,
    /// The last frame, with its code.
    Close(Option<u16>),
}

/// Why a frame is refused: the close code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Violation(pub u16);

/// The reader of one connection.
#[derive(Debug, Default)]
pub struct Reader(Option<Box<Progress>>);

/// A message or a frame of which more is missing.
#[derive(Debug, Default)]
struct Progress {
    header: [u8; MAX_HEADER_BYTES],
    filled: usize,
    frame: Option<Frame>,
    message: Option<Message>,
    control: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    opcode: u8,
    is_final: bool,
    mask: [u8; 4],
    /// Bytes that have arrived, and that are missing.
    offset: usize,
    missing: usize,
}

#[derive(Debug, Default)]
struct Message {
    content: Vec<u8>,
    /// Size so far, including the frame in progress. Each fragment counts as at least one byte.
    size: usize,
    /// The first bytes, which are UTF-8.
    checked: usize,
}

impl Reader {
    /// Whether a message or a frame has begun.
    #[must_use]
    pub fn is_in_progress(&self) -> bool {
        self.0.is_some()
    }

    /// Reads up to the end of the next message or control frame, and removes what was read from `input`. `None` if more
    /// input is needed. After an error, nothing else may be read.
    ///
    /// # Errors
    /// [`Violation`]: the input breaks the protocol or a limit.
    pub fn read(&mut self, input: &mut &[u8]) -> Result<Option<Received>, Violation> {
        if input.is_empty() {
            return Ok(None);
        }
        let mut progress = self.0.take().unwrap_or_default();
        let received = progress.read(input)?;
        if progress.filled > 0 || progress.message.is_some() {
            self.0 = Some(progress);
        }
        Ok(received)
    }
}

impl Progress {
    fn read(&mut self, input: &mut &[u8]) -> Result<Option<Received>, Violation> {
        loop {
            let Some(mut frame) = self.frame(input)? else { return Ok(None) };
            let (content, rest) = input.split_at(frame.missing.min(input.len()));
            *input = rest;
            let is_control = frame.opcode >= CLOSE;
            let target = if is_control { &mut self.control } else { &mut self.message().content };
            let mask = frame.mask.iter().cycle().skip(frame.offset % 4);
            target.extend(content.iter().zip(mask).map(|(byte, mask)| byte ^ mask));
            frame.offset += content.len();
            frame.missing -= content.len();
            let is_complete = frame.missing == 0;
            if !is_control {
                self.message().check(is_complete && frame.is_final)?;
            }
            self.frame = Some(frame);
            if !is_complete {
                return Ok(None);
            }
            (self.frame, self.filled) = (None, 0);
            if let Some(received) = self.complete(frame)? {
                return Ok(Some(received));
            }
        }
    }

    fn message(&mut self) -> &mut Message {
        self.message.get_or_insert_default()
    }

    /// Returns the frame in progress, or reads the header of the next one.
    fn frame(&mut self, input: &mut &[u8]) -> Result<Option<Frame>, Violation> {
        if self.frame.is_some() {
            return Ok(self.frame);
        }
        while self.filled < self.header_size() {
            let Some((byte, rest)) = input.split_first() else { return Ok(None) };
            (self.header[self.filled], *input) = (*byte, rest);
            self.filled += 1;
            match self.filled {
                1 => self.check_first()?,
                2 => self.check_second()?,
                _ => {}
            }
        }
        let frame = self.parse()?;
        if frame.opcode < CLOSE {
            let message = self.message();
            message.size += frame.missing.max(1);
            if message.size > MAX_MESSAGE_BYTES {
                return Err(Violation(TOO_LARGE));
            }
        }
        self.frame = Some(frame);
        Ok(self.frame)
    }

    fn header_size(&self) -> usize {
        match self.header[1] & 0x7f {
            _ if self.filled < 2 => 2,
            126 => 8,
            127 => 14,
            _ => 6,
        }
    }

    /// Checks the reserved bits and the kind of the frame.
    fn check_first(&self) -> Result<(), Violation> {
        let (first, in_message) = (self.header[0], self.message.is_some());
        let (is_final, reserved, opcode) = (first & 0x80 != 0, first & 0x70, first & 0x0f);
        let is_allowed = match opcode {
            CONTINUATION => in_message,
            TEXT | BINARY => !in_message,
            CLOSE | PING | PONG => is_final,
            _ => false,
        };
        match (reserved, is_allowed, opcode) {
            (0, true, BINARY) => Err(Violation(NOT_TEXT)),
            (0, true, _) => Ok(()),
            _ => Err(Violation(PROTOCOL_ERROR)),
        }
    }

    /// Checks the mask, and the size of a control frame.
    fn check_second(&self) -> Result<(), Violation> {
        let (opcode, second) = (self.header[0] & 0x0f, self.header[1]);
        let is_masked = second & 0x80 != 0;
        if is_masked && (opcode < CLOSE || u64::from(second & 0x7f) <= MAX_CONTROL_BYTES) {
            Ok(())
        } else {
            Err(Violation(PROTOCOL_ERROR))
        }
    }

    /// Reads the complete header. A length must have its shortest form.
    fn parse(&self) -> Result<Frame, Violation> {
        let (opcode, is_final) = (self.header[0] & 0x0f, self.header[0] & 0x80 != 0);
        let (extended, mask) = self.header[2..self.filled].split_at(self.filled - 6);
        let length = extended.iter().fold(0, |length, byte| length << 8 | u64::from(*byte));
        let (length, is_shortest) = match self.header[1] & 0x7f {
            126 => (length, length > MAX_CONTROL_BYTES),
            127 => (length, length > u64::from(u16::MAX) && length >> 63 == 0),
            short => (u64::from(short), true),
        };
        if !is_shortest {
            return Err(Violation(PROTOCOL_ERROR));
        }
        let missing = usize::try_from(length).ok().filter(|missing| *missing <= MAX_MESSAGE_BYTES);
        let missing = missing.ok_or(Violation(TOO_LARGE))?;
        let mask = [mask[0], mask[1], mask[2], mask[3]];
        Ok(Frame { opcode, is_final, mask, offset: 0, missing })
    }

    /// Handles a complete frame. `None` for a fragment.
    fn complete(&mut self, frame: Frame) -> Result<Option<Received>, Violation> {
        let control = std::mem::take(&mut self.control);
        Ok(match frame.opcode {
            PING => Some(Received::Ping(control)),
            PONG => Some(Received::Pong),
            CLOSE => Some(Received::Close(close_code(&control)?)),
            _ if frame.is_final => self.message.take().map(|message| Received::Message(message.content)),
            _ => None,
        })
    }
}

impl Message {
    /// Checks that the new content is UTF-8. At the end of a fragment, a character may be incomplete.
    fn check(&mut self, is_complete: bool) -> Result<(), Violation> {
        match from_utf8(&self.content[self.checked..]) {
            Ok(_) => self.checked = self.content.len(),
            Err(error) if error.error_len().is_none() && !is_complete => self.checked += error.valid_up_to(),
            Err(_) => return Err(Violation(NOT_UTF8)),
        }
        Ok(())
    }
}

/// Reads the content of a close frame: nothing, or a code and a reason.
fn close_code(content: &[u8]) -> Result<Option<u16>, Violation> {
    let (code, reason) = match content {
        [] => return Ok(None),
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
        [_] => return Err(Violation(PROTOCOL_ERROR)),
    };
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Violation(PROTOCOL_ERROR));
    }
    if from_utf8(reason).is_err() {
        return Err(Violation(NOT_UTF8));
    }
    Ok(Some(code))
}
