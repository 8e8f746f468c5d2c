//! One block of a stream, encoded once for every socket.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::frames::{close_frame, text_frames};

/// One or several blocks of a stream, in every wire form. All owners share one buffer of each form.
#[derive(Debug, Clone)]
pub struct Block(Arc<Encoded>);

#[derive(Debug)]
struct Encoded {
    /// The block, with the framing of a chunk of HTTP/1.1 around it.
    chunk: Box<[u8]>,
    start: u32,
    count: u32,
    /// The code with which a WebSocket ends after this block.
    close_code: Option<u16>,
    /// Made for the first WebSocket that needs it.
    frames: OnceLock<Box<[u8]>>,
}

const LINE_END: &[u8] = b"\r\n";

impl Block {
    /// Copies a block. It must not be empty, because an empty chunk ends a body.
    #[must_use]
    pub fn new(content: &[u8]) -> Self {
        Self::of([content].into_iter())
    }

    /// Puts blocks together. None of them may be empty.
    #[must_use]
    pub fn of<'a>(blocks: impl Iterator<Item = &'a [u8]> + Clone) -> Self {
        Self::encode(blocks, None)
    }

    /// The last block of a stream. A WebSocket ends with this code.
    #[must_use]
    pub fn last(content: &[u8], close_code: u16) -> Self {
        Self::encode([content].into_iter(), Some(close_code))
    }

    fn encode<'a>(blocks: impl Iterator<Item = &'a [u8]> + Clone, close_code: Option<u16>) -> Self {
        let length: usize = blocks.clone().map(<[u8]>::len).sum();
        let mut chunk = format!("{length:x}\r\n").into_bytes();
        let (start, mut count) = (chunk.len(), 0);
        chunk.reserve_exact(length + LINE_END.len());
        for block in blocks {
            chunk.extend_from_slice(block);
            count += 1;
        }
        chunk.extend_from_slice(LINE_END);
        let start = u32::try_from(start).unwrap_or(u32::MAX);
        let frames = OnceLock::new();
        Self(Arc::new(Encoded { chunk: chunk.into_boxed_slice(), start, count, close_code, frames }))
    }

    /// Number of blocks.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.count as usize
    }

    fn start(&self) -> usize {
        self.0.start as usize
    }

    /// The block.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        &self.0.chunk[self.start()..self.0.chunk.len() - LINE_END.len()]
    }

    /// The block as a shared buffer.
    #[must_use]
    pub fn share(&self) -> Bytes {
        Bytes::from_owner(Content(self.clone()))
    }

    /// The block as a chunk of HTTP/1.1.
    #[must_use]
    pub fn chunk(&self) -> &[u8] {
        &self.0.chunk
    }

    /// The block as text messages of a WebSocket.
    #[must_use]
    pub fn frames(&self) -> &[u8] {
        self.0.frames.get_or_init(|| {
            let mut frames = text_frames(self.content());
            if let Some(code) = self.0.close_code {
                close_frame(code, &mut frames);
            }
            frames.into_boxed_slice()
        })
    }

    /// Whether its WebSocket form contains the last frame of a connection.
    #[must_use]
    pub fn closes(&self) -> bool {
        self.0.close_code.is_some()
    }

    /// Size of the block.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.chunk.len() - LINE_END.len() - self.start()
    }

    /// Whether the block is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

struct Content(Block);

impl AsRef<[u8]> for Content {
    fn as_ref(&self) -> &[u8] {
        self.0.content()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_and_its_chunk_share_one_buffer() {
        let block = Block::new(b"id: e.17\n\n");
        assert_eq!(block.content(), b"id: e.17\n\n");
        assert_eq!(block.chunk(), b"a\r\nid: e.17\n\n\r\n");
        assert_eq!(block.share().as_ptr(), block.chunk()[3..].as_ptr());
        assert_eq!((block.len(), block.is_empty()), (10, false));
        let two = Block::of([&b"id: e.1\n\n"[..], b"id: e.2\n\n"].into_iter());
        assert_eq!((two.content(), two.count(), block.count()), (&b"id: e.1\n\nid: e.2\n\n"[..], 2, 1));
        assert_eq!(Block::new(&[b'x'; 255]).chunk()[..4], *b"ff\r\n");
    }

    #[test]
    fn all_websockets_share_one_form_that_is_made_once() {
        let block = Block::new(b"id: e.17\n\n");
        let other = block.clone();
        assert_eq!(block.frames(), b"\x81\x0d{\"id\":\"e.17\"}");
        assert_eq!(block.frames().as_ptr(), other.frames().as_ptr());
        assert!(!block.closes());
        let last = Block::last(b"event: closing\ndata: {}\n\n", 4401);
        assert_eq!(last.frames(), b"\x81\x1d{\"event\":\"closing\",\"data\":{}}\x88\x02\x11\x31");
        assert!(last.closes() && last.chunk().ends_with(b"data: {}\n\n\r\n"));
    }

    #[test]
    fn a_queue_of_blocks_needs_one_pointer_for_each() {
        assert_eq!(size_of::<Block>(), size_of::<usize>());
    }
}
