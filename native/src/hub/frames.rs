//! The WebSocket form of blocks: one unmasked text frame (RFC 6455) for each block of server-sent events.

const FINAL_TEXT: u8 = 0x81;
const FINAL_CLOSE: u8 = 0x88;
const FINAL_PING: u8 = 0x89;
const FINAL_PONG: u8 = 0x8a;
const BLOCK_END: &[u8] = b"\n\n";

/// Returns a text frame for each block. Every block ends with an empty line.
#[must_use]
pub fn text_frames(blocks: &[u8]) -> Vec<u8> {
    let mut frames = Vec::with_capacity(blocks.len() + 16);
    for message in messages(blocks) {
        append(FINAL_TEXT, &message, &mut frames);
    }
    frames
}

/// Returns the text message of each block: an object with its `id`, `event` and `data`. `data` is copied unchanged.
pub fn messages(blocks: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let mut rest = blocks;
    std::iter::from_fn(move || {
        let end = memchr::memmem::find(rest, BLOCK_END).unwrap_or(rest.len());
        let block = &rest[..end];
        rest = rest.get(end + BLOCK_END.len()..).unwrap_or_default();
        (!block.is_empty()).then(|| message(block))
    })
}

fn message(block: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(block.len() + 16);
    message.push(b'{');
    for line in block.split(|byte| *byte == b'\n') {
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii_start());
        if message.len() > 1 {
            message.push(b',');
        }
        message.push(b'"');
        message.extend_from_slice(name);
        message.extend_from_slice(b"\":");
        if name == b"data" {
            message.extend_from_slice(value);
        } else {
            // Writing to memory cannot fail.
            let _ = serde_json::to_writer(&mut message, &String::from_utf8_lossy(value));
        }
    }
    message.push(b'}');
    message
}

/// Appends the last frame of a connection.
pub fn close_frame(code: u16, frames: &mut Vec<u8>) {
    append(FINAL_CLOSE, &code.to_be_bytes(), frames);
}

/// Appends a question whether the client is still there.
pub fn ping_frame(frames: &mut Vec<u8>) {
    append(FINAL_PING, b"", frames);
}

/// Appends the answer to a ping of the client.
pub fn pong_frame(content: &[u8], frames: &mut Vec<u8>) {
    append(FINAL_PONG, content, frames);
}

fn append(first: u8, content: &[u8], frames: &mut Vec<u8>) {
    frames.push(first);
    match (u8::try_from(content.len()), u16::try_from(content.len())) {
        (Ok(length @ ..=125), _) => frames.push(length),
        (_, Ok(length)) => {
            frames.push(126);
            frames.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            frames.push(127);
            frames.extend_from_slice(&(content.len() as u64).to_be_bytes());
        }
    }
    frames.extend_from_slice(content);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(blocks: &str) -> Vec<String> {
        messages(blocks.as_bytes()).map(|message| String::from_utf8(message).expect("text")).collect()
    }

    #[test]
    fn each_block_is_an_object_with_its_fields() {
        let blocks =
            "id: e.1\nevent: message.created\ndata: {\"a\": \"x\\n\"}\n\nid: e.2\n\nevent: closing\ndata: 1\n\n";
        let expected = [
            r#"{"id":"e.1","event":"message.created","data":{"a": "x\n"}}"#,
            r#"{"id":"e.2"}"#,
            r#"{"event":"closing","data":1}"#,
        ];
        assert_eq!(texts(blocks), expected);
        assert_eq!(texts("id: \"\\\u{1}\n\n"), [r#"{"id":"\"\\\u0001"}"#]);
        assert!(texts("").is_empty());
    }

    #[test]
    fn the_length_has_the_shortest_form() {
        for (size, head) in [(125, &b"\x81\x7d"[..]), (126, b"\x81\x7e\x00\x7e"), (65_535, b"\x81\x7e\xff\xff")] {
            let mut frame = Vec::new();
            append(FINAL_TEXT, &vec![b'x'; size], &mut frame);
            assert_eq!((&frame[..head.len()], frame.len()), (head, head.len() + size));
        }
        let mut frame = Vec::new();
        append(FINAL_TEXT, &vec![b'x'; 65_536], &mut frame);
        assert_eq!(frame[..10], *b"\x81\x7f\0\0\0\0\0\x01\0\0");
    }
}
