//! Encodes each stored message once: as the answer to its sender, and as the frame for everybody else.

use std::io::Write as _;

use crate::batch::Columns;

/// The ids and numbers that the transaction assigned to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// The row in the batch.
    pub row: usize,
    /// The message's id.
    pub id: i64,
    /// The message's number in its chat.
    pub number: i64,
    /// The event's number in its workspace.
    pub sequence: i64,
    /// The workspace of the chat.
    pub workspace_id: i64,
}

/// Answers and frames alternately, in one buffer.
#[derive(Debug, Default)]
pub struct Encoded {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Encoded {
    /// Returns the answer and the frame of each message, in order.
    pub fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let starts = std::iter::once(&0).chain(&self.ends);
        let mut slices = starts.zip(&self.ends).map(|(&start, &end)| &self.bytes[start..end]);
        std::iter::from_fn(move || slices.next().zip(slices.next()))
    }

    fn end(&mut self) {
        self.ends.push(self.bytes.len());
    }
}

/// Encodes new messages. `created_at` and `epoch` are written without escapes, so they must not need any.
///
/// # Panics
/// If a row is not in `columns`.
#[must_use]
pub fn encode(columns: &Columns, stored: &[Stored], created_at: &str, epoch: &str) -> Encoded {
    let mut encoded = Encoded::default();
    let mut message = Vec::new();
    for stored in stored {
        message.clear();
        write_message(&mut message, &new_message(columns, stored, created_at));
        write_answer(&mut encoded.bytes, &message, columns.key(stored.row));
        encoded.end();
        write_frame_head(&mut encoded.bytes, stored, columns.chat_ids[stored.row], created_at, epoch);
        encoded.bytes.extend_from_slice(&message);
        encoded.bytes.extend_from_slice(b"}}}\n\n");
        encoded.end();
    }
    encoded
}

/// A stored message, as people see it. The times are RFC 3339.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The message's id.
    pub id: i64,
    /// The chat that contains it.
    pub chat_id: i64,
    /// The message's number in its chat.
    pub number: i64,
    /// The person who sent it.
    pub sender_id: i64,
    /// The content; empty if the message was deleted.
    pub content: &'a str,
    /// 1 at first; each edit increases it by one.
    pub revision: i64,
    /// When it was stored.
    pub created_at: &'a str,
    /// When it was last edited.
    pub edited_at: Option<&'a str>,
    /// When it was deleted.
    pub deleted_at: Option<&'a str>,
    /// The extras as JSON.
    pub extras: Option<&'a str>,
}

/// Writes the Message without its closing brace, because the sender's answer has one more field.
pub fn write_message(out: &mut Vec<u8>, message: &Shown<'_>) {
    write_number(out, "{\"id\":", message.id);
    write_number(out, ",\"chat_id\":", message.chat_id);
    write_number(out, ",\"number\":", message.number);
    write_number(out, ",\"sender_id\":", message.sender_id);
    out.extend_from_slice(b",\"content\":");
    write_string(out, message.content);
    write_number(out, ",\"revision\":", message.revision);
    write_text(out, ",\"created_at\":\"", message.created_at);
    write_time(out, "\",\"edited_at\":", message.edited_at);
    write_time(out, ",\"deleted_at\":", message.deleted_at);
    if let Some(extras) = message.extras {
        write_text(out, ",\"extras\":", extras);
    }
}

fn write_time(out: &mut Vec<u8>, before: &str, time: Option<&str>) {
    let Some(time) = time else {
        return write_text(out, before, "null");
    };
    write_text(out, before, "\"");
    write_text(out, time, "\"");
}

fn new_message<'a>(columns: &'a Columns, stored: &Stored, created_at: &'a str) -> Shown<'a> {
    Shown {
        id: stored.id,
        chat_id: columns.chat_ids[stored.row],
        number: stored.number,
        sender_id: columns.sender_ids[stored.row],
        content: columns.content(stored.row),
        revision: 1,
        created_at,
        edited_at: None,
        deleted_at: None,
        extras: columns.extras(stored.row),
    }
}

fn write_answer(out: &mut Vec<u8>, message: &[u8], key: Option<&str>) {
    out.extend_from_slice(message);
    if let Some(key) = key {
        out.extend_from_slice(b",\"idempotency_key\":");
        write_string(out, key);
    }
    out.push(b'}');
}

/// Writes the SSE block of `message.created` up to the message.
fn write_frame_head(out: &mut Vec<u8>, stored: &Stored, chat_id: i64, created_at: &str, epoch: &str) {
    write_text(out, "id: ", epoch);
    write_number(out, ".", stored.sequence);
    out.extend_from_slice(b"\nevent: message.created\ndata: {\"type\":\"message.created\"");
    write_number(out, ",\"seq\":", stored.sequence);
    write_number(out, ",\"workspace_id\":", stored.workspace_id);
    write_number(out, ",\"chat_id\":", chat_id);
    write_text(out, ",\"at\":\"", created_at);
    out.extend_from_slice(b"\",\"data\":{\"message\":");
}

fn write_number(out: &mut Vec<u8>, before: &str, number: i64) {
    write_text(out, before, itoa::Buffer::new().format(number));
}

fn write_text(out: &mut Vec<u8>, before: &str, text: &str) {
    out.extend_from_slice(before.as_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// Writes a JSON string. Escapes only quotes, backslashes and C0 controls.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let (plain, special) = rest.split_at(plain_length(rest));
        out.extend_from_slice(plain);
        let Some((&byte, after)) = special.split_first() else { break };
        write_escape(out, byte);
        rest = after;
    }
    out.push(b'"');
}

/// Returns the number of bytes before the first one that a JSON string must escape.
fn plain_length(bytes: &[u8]) -> usize {
    // The compiler vectorizes whole blocks without an early exit.
    const BLOCK: usize = 32;
    let blocks =
        bytes.chunks_exact(BLOCK).take_while(|block| !block.iter().fold(false, |any, &byte| any | is_special(byte)));
    let plain = blocks.count() * BLOCK;
    plain + bytes[plain..].iter().take_while(|&&byte| !is_special(byte)).count()
}

#[expect(clippy::needless_bitwise_bool, reason = "the compiler vectorizes the loop only without branches")]
fn is_special(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

fn write_escape(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\t' => out.extend_from_slice(b"\\t"),
        b'\r' => out.extend_from_slice(b"\\r"),
        0x8 => out.extend_from_slice(b"\\b"),
        0xc => out.extend_from_slice(b"\\f"),
        b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
        _ => write_hex_escape(out, byte),
    }
}

fn write_hex_escape(out: &mut Vec<u8>, byte: u8) {
    write!(out, "\\u{byte:04x}").expect("writing to a Vec does not fail");
}

#[cfg(test)]
mod tests {
    use super::plain_length;

    #[test]
    fn the_first_special_byte_is_found_at_any_position() {
        for length in 0..100 {
            for special in [b'"', b'\\', 0x1f] {
                let mut bytes = vec![b'a'; length];
                bytes.extend([special, b'b', b'"']);
                assert_eq!(plain_length(&bytes), length);
            }
            assert_eq!(plain_length(&vec![0xf0; length]), length);
        }
    }
}
